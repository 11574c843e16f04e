// A program that writes a log, as programs do: line by line, rotated by renaming when it is large.

import { closeSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Files that stay beside the one that grows. */
const KEPT = 8

export class LogWriter {
  readonly #folder: string
  readonly #rotateBytes: number
  #descriptor: number
  #bytes = 0
  /** Lines written: they are numbered from 1. */
  lines = 0
  rotations = 0

  constructor(folder: string, rotateBytes: number) {
    this.#folder = folder
    this.#rotateBytes = rotateBytes
    this.#descriptor = openSync(this.path, 'a')
  }

  get path(): string {
    return join(this.#folder, 'app.log')
  }

  write(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.lines += 1
      const line = JSON.stringify({ n: this.lines, at: Date.now(), text: `event ${this.lines} of the soak` })
      this.#bytes += writeSync(this.#descriptor, `${line}\n`)
    }
    if (this.#bytes >= this.#rotateBytes) this.#rotate()
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #rotate(): void {
    closeSync(this.#descriptor)
    const numbers = readdirSync(this.#folder)
      .map((name) => Number(/^app\.log\.(\d+)$/.exec(name)?.[1]))
      .filter((number) => !Number.isNaN(number))
      .sort((a, b) => b - a)
    for (const number of numbers) {
      const path = join(this.#folder, `app.log.${number}`)
      if (number >= KEPT) rmSync(path)
      else renameSync(path, join(this.#folder, `app.log.${number + 1}`))
    }
    renameSync(this.path, join(this.#folder, 'app.log.1'))
    this.#descriptor = openSync(this.path, 'a')
    this.#bytes = 0
    this.rotations += 1
  }
}

// Writes a log as programs and their rotation do: in bits of lines, and with the old files moved out of the way.

import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'

export type RotationKind =
  | 'rename'
  | 'copy'
  | 'gzip'
  | 'late-gzip'
  | 'zstd'
  | 'copy-gzip'
  | 'unknown'
  | 'replace'
  | 'remove'
export const ROTATIONS: readonly RotationKind[] = ['rename', 'copy', 'gzip', 'late-gzip', 'zstd', 'copy-gzip']
/** Those that leave a file under no name that tells it: it has to be open by then. */
export const UNNAMED_ROTATIONS: readonly RotationKind[] = ['unknown', 'replace', 'remove']

/** A log under a name, with its rotated files numbered from 1, the youngest first. */
export class RotatingWriter {
  readonly path: string
  readonly #random: () => number
  /** Every line that was written, but for the one that is being written. */
  readonly lines: string[] = []
  /** What is yet to be written of the line at hand. */
  #rest = ''
  /** What was written of it. */
  #written = ''
  #count = 0
  /** How many were left under a name that tells nothing. */
  #left = 0
  /** How many rotated files there are. */
  rotated = 0

  constructor(path: string, random: () => number) {
    this.path = path
    this.#random = random
    writeFileSync(path, '')
  }

  /** Appends some bytes, which end anywhere. */
  append(bytes: number): void {
    let text = ''
    while (text.length < bytes) {
      if (this.#rest === '') {
        this.#count += 1
        const padding = 'x'.repeat(Math.floor(this.#random() ** 3 * 120))
        this.#rest = `${String(this.#count).padStart(6, '0')} of app.log ${padding}\n`
      }
      const taken = this.#rest.slice(0, bytes - text.length)
      text += taken
      this.#rest = this.#rest.slice(taken.length)
      this.#written += taken
      if (this.#rest === '') this.#closeLine()
    }
    appendFileSync(this.path, text)
  }

  /** Ends the line at hand. */
  finishLine(): void {
    if (this.#rest !== '') this.append(this.#rest.length)
  }

  /** What was written of the line at hand stays as it is: its file will not be written to again. */
  breakLine(): void {
    if (this.#written !== '') {
      // A bare line end of a line that was cut before it is a blank line in the next file: not wanted here.
      // Half a line of some bytes may be the beginning of any file.
      if (this.#rest === '\n' || this.#written.length < 16) return this.finishLine()
      this.#closeLine()
    }
    this.#rest = ''
  }

  /** The steps of one rotation; a reader may look, or not be there, between any two. */
  *rotate(kind: RotationKind): Generator<string> {
    this.breakLine()
    const { path } = this
    if (UNNAMED_ROTATIONS.includes(kind)) return yield* this.#leave(kind)
    yield* this.#shift()
    switch (kind) {
      case 'copy':
      case 'copy-gzip':
        copyFileSync(path, `${path}.1`)
        yield 'copied'
        truncateSync(path)
        yield 'cut'
        if (kind === 'copy-gzip') yield* this.#compress(`${path}.1`, 'gz')
        return
      default:
        renameSync(path, `${path}.1`)
        yield 'renamed'
        if (kind === 'gzip') yield* this.#compress(`${path}.1`, 'gz')
        writeFileSync(path, '')
        yield 'created'
        if (kind === 'late-gzip') yield* this.#compress(`${path}.1`, 'gz')
        if (kind === 'zstd') yield* this.#compress(`${path}.1`, 'zst')
    }
  }

  *#leave(kind: RotationKind): Generator<string> {
    const { path } = this
    this.#left += 1
    if (kind === 'remove') unlinkSync(path)
    else renameSync(path, kind === 'replace' ? `${path}.1` : `${path.replace(/\.log$/, '')}-${this.#left}.log`)
    yield 'left'
    writeFileSync(path, '')
    yield 'created'
  }

  *#shift(): Generator<string> {
    for (let n = this.rotated; n >= 1; n -= 1) {
      for (const ending of ['', '.gz', '.zst']) {
        const from = `${this.path}.${n}${ending}`
        if (existsSync(from)) renameSync(from, `${this.path}.${n + 1}${ending}`)
      }
      if (this.#random() < 0.1) yield 'shifting'
    }
    this.rotated += 1
  }

  /** As gzip does: the new file grows, gets the old one's time, then the old one goes. */
  *#compress(path: string, ending: 'gz' | 'zst'): Generator<string> {
    const bytes = readFileSync(path)
    const stored = ending === 'gz' ? gzipSync(bytes) : zstdCompressSync(bytes)
    const file = openSync(`${path}.${ending}`, 'w')
    const half = Math.floor(stored.length * this.#random())
    writeSync(file, stored, 0, half)
    yield 'compressing'
    writeSync(file, stored, half, stored.length - half)
    closeSync(file)
    const { atimeMs, mtimeMs } = statSync(path)
    utimesSync(`${path}.${ending}`, atimeMs / 1000, mtimeMs / 1000)
    yield 'compressed'
    unlinkSync(path)
    yield 'removed'
  }

  #closeLine(): void {
    this.lines.push(this.#written.replace(/\n$/, ''))
    this.#written = ''
  }
}

// An open part: rows that become a file in the staging folder.

import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { createFile, finishFile, removeFile, writeAll } from '../../kits/files/disk.ts'
import type { PartEncoder } from './encoder.ts'

/** A finished part: durable under `temp`, to be made visible at `path`. Stored as JSON in the note of its epoch. */
export type FinishedPart = {
  /** The value that partitionBy returned for its rows; absent without partitions. */
  readonly partition?: string
  /** Its path below the root, with forward slashes. */
  readonly path: string
  /** Its name in the staging folder. */
  readonly temp: string
  readonly rows: number
  readonly bytes: number
}

export interface PartOptions {
  readonly staging: string
  readonly temp: string
  readonly path: string
  readonly partition: string | undefined
  readonly encoder: PartEncoder
  readonly mode: number
}

/** The file is created with the first bytes: a part of few rows needs no descriptor before its end. */
export class Part {
  readonly #options: PartOptions
  readonly #file: string
  /** Undefined before the first bytes, and after the end. */
  #handle: FileHandle | undefined
  #writtenBytes = 0
  #rows = 0

  constructor(options: PartOptions) {
    this.#options = options
    this.#file = join(options.staging, options.temp)
  }

  get rows(): number {
    return this.#rows
  }

  get heldBytes(): number {
    return this.#options.encoder.heldBytes
  }

  /** The minimum size of its file, roughly. */
  get sizeBytes(): number {
    return this.#writtenBytes + this.heldBytes
  }

  /** Adds a row, or throws the reason why it is rejected. */
  add(row: unknown): void {
    this.#options.encoder.add(row)
    this.#rows += 1
  }

  /** Writes what is ready; undefined if nothing is yet. */
  drain(): Promise<void> | undefined {
    return this.#options.encoder.drain()?.then((bytes) => this.#write(bytes))
  }

  /** Writes the rest and makes the file durable. */
  async finish(): Promise<FinishedPart> {
    const { encoder, mode, partition, path, temp } = this.#options
    await this.#write(await encoder.finish())
    const handle = await this.#open()
    this.#handle = undefined
    await finishFile(handle, this.#file, mode)
    const place = partition === undefined ? { path, temp } : { partition, path, temp }
    return { ...place, rows: this.#rows, bytes: this.#writtenBytes }
  }

  /** Removes what was written, if the system allows it: the next to open the sink removes what is left. */
  async discard(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close().catch(() => {})
    if (handle !== undefined) await removeFile(this.#file).catch(() => {})
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return
    await writeAll(await this.#open(), this.#file, bytes)
    this.#writtenBytes += bytes.length
  }

  async #open(): Promise<FileHandle> {
    this.#handle ??= await createFile(this.#file)
    return this.#handle
  }
}

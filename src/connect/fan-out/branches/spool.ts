// Files of rows that wait for a branch: one per epoch, written and synced before the commit that names it.

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { type Batch, batchOf, deadLetterAt } from '../../batch.ts'
import { cannotStore, createFile, finishFile, lookAt, removeFile, writeAll } from '../../kits/files/disk.ts'
import { encodeName } from '../../kits/files/name.ts'
import type { DeadLetter, Origin } from '../../origin.ts'

/** A finished file of rows. */
export interface SpoolFile {
  /** Counts up by one per file of a branch: it is the epoch of the branch's own commit. */
  readonly seq: number
  readonly name: string
  readonly bytes: number
  readonly rows: number
}

/** Rows as they are stored in a file: by columns, so that names are written once. */
type Frame = readonly [
  values: readonly unknown[],
  sources: string[],
  lines: number[],
  offsets: number[],
  raws: string[],
  /** Absent in files of earlier versions. */
  parts?: number[],
]

/** Rows packed for a file, with a dead letter for each that cannot be packed. */
export interface PackedRows {
  readonly frame: Buffer
  readonly rows: number
  readonly letters: readonly DeadLetter[]
}

/** A file that is being written. */
interface OpenFile {
  readonly handle: FileHandle
  readonly name: string
  bytes: number
  rows: number
}

/** Before each frame: its length and its checksum. */
const HEAD_BYTES = 8
const OWNER_ONLY = 0o600

/** The files of one branch in the spool's folder. Each frame holds one batch. */
export class Spool {
  readonly #folder: string
  readonly #prefix: string
  readonly #mark = randomBytes(6).toString('hex')
  #made = 0
  #open: OpenFile | undefined

  /** @param owner - the pipeline and its branch */
  constructor(folder: string, owner: string) {
    this.#folder = folder
    this.#prefix = `${encodeName(owner)}-`
  }

  /** Removes what earlier runs left and no commit names. */
  async clear(named: ReadonlySet<string>): Promise<void> {
    const left: string[] = []
    try {
      for await (const { name } of await opendir(this.#folder)) {
        if (this.#isOurs(name) && !named.has(name)) left.push(name)
      }
    } catch (error) {
      throw cannotStore('read', this.#folder, error)
    }
    for (const name of left) await this.remove(name)
  }

  async append({ frame, rows }: PackedRows): Promise<void> {
    if (rows === 0) return
    this.#open ??= await this.#begin()
    const file = this.#open
    const head = Buffer.alloc(HEAD_BYTES)
    head.writeUInt32LE(frame.length, 0)
    head.writeUInt32LE(crc32(frame), 4)
    await writeAll(file.handle, this.#pathOf(file.name), Buffer.concat([head, frame]))
    file.bytes += HEAD_BYTES + frame.length
    file.rows += rows
  }

  /** Makes what was appended durable; undefined if nothing was. The folder is still to be synced. */
  async finish(seq: number): Promise<SpoolFile | undefined> {
    const file = this.#open
    if (file === undefined) return undefined
    this.#open = undefined
    await finishFile(file.handle, this.#pathOf(file.name), OWNER_ONLY)
    return { seq, name: file.name, bytes: file.bytes, rows: file.rows }
  }

  /**
   * Returns the batches of a file.
   * @throws {SluiceError} SOURCE_CORRUPT if it is not what was written
   */
  async *read({ name, bytes }: SpoolFile): AsyncGenerator<Batch> {
    const path = this.#pathOf(name)
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
      throw cannotStore('read', path, error)
    })
    try {
      let at = 0
      while (at < bytes) {
        const head = await readFully(handle, path, at, HEAD_BYTES)
        const frame = await readFully(handle, path, at + HEAD_BYTES, Math.min(head.readUInt32LE(0), bytes - at))
        if (crc32(frame) !== head.readUInt32LE(4)) throw corrupt(path, at, 'a wrong checksum')
        at += HEAD_BYTES + frame.length
        yield rowsOf(frame)
      }
    } finally {
      await handle.close()
    }
  }

  /** Whether a file exists: it is removed once its branch has taken it. */
  async has({ name }: SpoolFile): Promise<boolean> {
    return (await lookAt(this.#pathOf(name))) !== undefined
  }

  async remove(name: string): Promise<void> {
    await removeFile(this.#pathOf(name))
  }

  /** Drops what was appended and not finished. */
  async close(): Promise<void> {
    const file = this.#open
    this.#open = undefined
    if (file === undefined) return
    await file.handle.close()
    await this.remove(file.name)
  }

  async #begin(): Promise<OpenFile> {
    this.#made += 1
    const name = `${this.#prefix}${this.#mark}-${this.#made}.rows`
    return { handle: await createFile(this.#pathOf(name)), name, bytes: 0, rows: 0 }
  }

  #isOurs(name: string): boolean {
    return name.startsWith(this.#prefix) && /^[0-9a-f]{12}-\d+\.rows$/.test(name.slice(this.#prefix.length))
  }

  #pathOf(name: string): string {
    return join(this.#folder, name)
  }
}

export function packRows(rows: Batch): PackedRows {
  try {
    return { frame: serialize(columnsOf(rows)), letters: [], rows: rows.length }
  } catch {
    const letters: DeadLetter[] = []
    const good: number[] = []
    for (const [at, row] of rows.values().entries()) {
      try {
        serialize(row)
        good.push(at)
      } catch (error) {
        letters.push(deadLetterAt(rows, at, 'spool', messageOf(error)))
      }
    }
    return { frame: serialize(columnsOf(rows.select(good))), letters, rows: good.length }
  }
}

function columnsOf(rows: Batch): Frame {
  const values = rows.values()
  const origins = values.map((_, at) => rows.origin(at) as Origin)
  return [
    values,
    origins.map(({ source }) => source),
    origins.map(({ line }) => line),
    origins.map(({ offset }) => offset),
    origins.map(({ raw }) => raw),
    origins.map(({ part = 0 }) => part),
  ]
}

function rowsOf(frame: Buffer): Batch {
  const [values, sources, lines, offsets, raws, parts = []] = deserialize(frame) as Frame
  return batchOf(values, {
    at(index) {
      const place = { source: sources[index] ?? '', line: lines[index] ?? 0, offset: offsets[index] ?? 0 }
      return { ...place, raw: raws[index] ?? '', part: parts[index] ?? 0 }
    },
  })
}

async function readFully(handle: FileHandle, path: string, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done).catch((error: unknown) => {
      throw cannotStore('read', path, error)
    })
    if (bytesRead === 0) throw corrupt(path, at + done, 'its end')
    done += bytesRead
  }
  return bytes
}

function corrupt(path: string, offset: number, found: string): SluiceError<'SOURCE_CORRUPT'> {
  const message = `Cannot read the rows that wait in ${JSON.stringify(path)}: at byte ${offset} there is ${found}`
  return new SluiceError('SOURCE_CORRUPT', message, { source: path, offset, found })
}

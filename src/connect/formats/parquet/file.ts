// An open Parquet file: its footer, and how a later run recognizes it.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { cannotRead } from '../../kits/files/errors.ts'
import {
  type FileId,
  type Fingerprint,
  fileIdOf,
  fingerprintOf,
  HEAD_BYTES,
  readAt,
} from '../../kits/files/identity.ts'
import { COPY_IT, refuseSpecial, specialKind } from '../../kits/files/list.ts'
import { corruptParquet, Damage, isDamage, OverLimit, overLimit } from './errors.ts'
import { type Footer, parseFooter } from './footer.ts'
import { type Schema, schemaOf } from './schema.ts'

/** What identifies a file: its size, its first bytes, and its footer, which says where everything is. */
export interface FileIdentity {
  readonly size: number
  readonly head: Fingerprint
  readonly footer: Fingerprint
}

/** What is known about a file once its footer was read. */
export interface ParquetFile {
  readonly path: string
  readonly identity: FileIdentity
  readonly id: FileId
  readonly footer: Footer
  readonly schema: Schema
  /** The byte that its footer begins at: all pages are before it. */
  readonly footerAt: number
}

const MARK = 'PAR1'
const ENCRYPTED = 'PARE'
/** The magic at the start; the length of the footer and the magic at the end. */
const START_BYTES = 4
const END_BYTES = 8

/** Footers are held twice, and a few of them: a part of the limit is reserved for them. */
const FOOTER_SHARE = 4

/** How many footers are kept. */
const KEPT = 4

/** Opens files, and caches the footers that were read last: a file is opened once for each row group. */
export class ParquetFiles {
  readonly #limit: number
  /** Path → the file's state when its footer was read, and the footer. Oldest first. */
  readonly #kept = new Map<string, { readonly stamp: string; readonly file: ParquetFile }>()

  /** @param limit - the bytes that a reader may hold */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Opens a file for reading; the caller closes it. */
  async open(path: string): Promise<{ readonly handle: FileHandle; readonly file: ParquetFile }> {
    let handle: FileHandle
    try {
      // Non-blocking, so that a pipe that has replaced the file cannot block us.
      handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (thrown) {
      throw cannotRead(path, 0, thrown)
    }
    try {
      return { handle, file: await this.#look(path, handle) }
    } catch (thrown) {
      await handle.close()
      if (thrown instanceof OverLimit) throw overLimit(path, this.#limit, thrown)
      throw isDamage(thrown) ? corruptParquet(path, 0, thrown.message, thrown) : thrown
    }
  }

  /** A file's description, without holding it open. */
  async look(path: string): Promise<ParquetFile> {
    const { handle, file } = await this.open(path)
    await handle.close()
    return file
  }

  async #look(path: string, handle: FileHandle): Promise<ParquetFile> {
    const stats = await handle.stat({ bigint: true })
    if (!stats.isFile()) throw refuseSpecial(path, specialKind(stats), COPY_IT)
    const stamp = `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`
    const kept = this.#kept.get(path)
    if (kept?.stamp === stamp) return kept.file
    const file = await this.#read(path, handle, Number(stats.size), fileIdOf(stats))
    this.#kept.delete(path)
    this.#kept.set(path, { stamp, file })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break
      this.#kept.delete(oldest)
    }
    return file
  }

  async #read(path: string, handle: FileHandle, size: number, id: FileId): Promise<ParquetFile> {
    if (size < START_BYTES + END_BYTES) throw new Damage(`it has ${size} bytes, and no footer`)
    const end = await readAt(handle, size - END_BYTES, END_BYTES)
    const mark = end.toString('latin1', 4)
    if (mark === ENCRYPTED) throw new Damage('it is encrypted, which is not supported')
    if (mark !== MARK) throw new Damage('it does not end like a Parquet file')
    const length = end.readUInt32LE(0)
    if (length > size - START_BYTES - END_BYTES)
      throw new Damage(`its footer of ${length} bytes is larger than the file`)
    if (length * FOOTER_SHARE > this.#limit) {
      throw new OverLimit(`its footer of ${length} bytes is over a quarter of ${this.#limit}`, length)
    }
    const footerAt = size - END_BYTES - length
    const bytes = await readAt(handle, footerAt, length)
    const footer = parseFooter(bytes)
    const head = fingerprintOf(await readAt(handle, 0, Math.min(HEAD_BYTES, size)))
    const identity = { size, head, footer: fingerprintOf(bytes) }
    const schema = schemaOf(footer.schema)
    if (schema.columns.length === 0 && footer.groups.some(({ rows }) => rows > 0))
      throw new Damage('it has rows but no columns')
    return { path, identity, id, footer, schema, footerAt }
  }
}

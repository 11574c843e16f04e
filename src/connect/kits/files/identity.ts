// How a later run recognizes a file: size, first bytes, and the bytes at the position reached.

import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { isCount } from '../../../base/check.ts'
import type { Json, Position } from '../../source.ts'
import type { Encoding } from './bytes/encoding.ts'
import { readBytes } from './bytes/read-bytes.ts'
import { positionLost } from './errors.ts'
import { LAST_BYTES } from './records/open-line.ts'

/** How many of a file's first bytes are remembered. */
export const HEAD_BYTES = 4096

/** Bytes by their number and hash. */
export type Fingerprint = { readonly bytes: number; readonly sha256: string }

/**
 * The position of a reader of a file, as JSON. Offsets and lines are those of the content, `size` is that of the file.
 */
export type FilePosition = {
  readonly encoding: Encoding | 'stream'
  /** Device and inode: to find a file that was renamed. */
  readonly inode: string
  /** When the file was created, in epoch nanoseconds; absent if its file system does not record it. */
  readonly born?: string
  /** Size of the file when the position was taken, in bytes. */
  readonly size: number
  /** The file's first bytes. */
  readonly head: Fingerprint
  /** Plain files: the bytes before `offset`. Compressed files: the last bytes of the file. */
  readonly tail: Fingerprint
  /** Where the next line begins. */
  readonly offset: number
  /** The number of the next line, counted from `countedFrom`; 0 if a byte range has not found its first line yet. */
  readonly line: number
  /**
   * Where the line that counts as the first begins, in a byte range whose preceding lines nobody has counted; absent if
   * that is the file's first line.
   */
  readonly countedFrom?: number
  /** Whether the file was read to its end. */
  readonly isDone: boolean
  /** Whether the last line returned had no line end: what is appended to the file is its rest. */
  readonly isPartial: boolean
}

/** An open file as it is now. */
export interface FileNow extends FileId {
  readonly path: string
  readonly handle: FileHandle
  readonly encoding: Encoding
  readonly size: number
}

/** What distinguishes a file from every other one, while it exists. */
export interface FileId {
  /** Device and inode. */
  readonly inode: string
  /** When it was created, in epoch nanoseconds: inode numbers are reused. Absent if unknown. */
  readonly born?: string
}

export function fileIdOf({ dev, ino, birthtimeNs }: Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>): FileId {
  const inode = `${dev}:${ino}`
  return birthtimeNs > 0n ? { inode, born: `${birthtimeNs}` } : { inode }
}

export function fingerprintOf(bytes: Buffer): Fingerprint {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex').slice(0, 32) }
}

const NO_BYTES = fingerprintOf(Buffer.alloc(0))

/** The position in an unread file. */
export const NOWHERE: FilePosition = {
  encoding: 'plain',
  inode: '',
  size: 0,
  head: NO_BYTES,
  tail: NO_BYTES,
  offset: 0,
  line: 0,
  isDone: false,
  isPartial: false,
}

/** Reads up to `bytes` bytes at `from`; fewer only at the end of the file. */
export async function readAt(handle: FileHandle, from: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes)
  let length = 0
  while (length < bytes) {
    const read = await readBytes(handle, buffer.subarray(length), from + length)
    if (read === 0) break
    length += read
  }
  return buffer.subarray(0, length)
}

/**
 * Reads a position of a file from a checkpoint.
 *
 * @throws {SluiceError} POSITION_LOST if it belongs to another kind of source, or is invalid
 */
export function parsePosition(path: string, position: Position): FilePosition {
  if (isFilePosition(position)) return position
  throw positionLost(path, 0, `the checkpoint holds no position of a file: ${JSON.stringify(position)?.slice(0, 60)}`)
}

/**
 * Checks that a file still is the one that a position refers to, and returns the bytes before the position.
 *
 * Plain files may have grown. Compressed ones must be unchanged: in them, appended data cannot be told from what was
 * there before.
 *
 * @throws {SluiceError} POSITION_LOST
 */
export async function checkPosition(
  file: Omit<FileNow, 'encoding' | 'inode'>,
  position: FilePosition,
): Promise<Buffer> {
  const { path, handle, size } = file
  const lost = (found: string) => positionLost(path, position.offset, found)
  if (size < position.size) throw lost(`the file is now ${size} bytes`)
  if (!matches(await readAt(handle, 0, position.head.bytes), position.head)) {
    throw lost('it is another file: its first bytes differ')
  }
  const isCompressed = position.encoding !== 'plain'
  if (isCompressed && size !== position.size) throw lost(`the file has changed from ${position.size} to ${size} bytes`)
  const tailEnd = isCompressed ? size : position.offset
  const tail = await readAt(handle, Math.max(0, tailEnd - position.tail.bytes), position.tail.bytes)
  if (matches(tail, position.tail)) return isCompressed ? Buffer.alloc(0) : tail
  throw lost(
    isCompressed ? 'it is another file: its last bytes differ' : 'it is another file: the bytes before it differ',
  )
}

/** Whether bytes match a fingerprint. */
export function matches(bytes: Buffer, print: Fingerprint): boolean {
  return bytes.length === print.bytes && fingerprintOf(bytes).sha256 === print.sha256
}

export function isFilePosition(value: Json | undefined): value is FilePosition {
  const position = value as Partial<FilePosition> | null | undefined
  return (
    typeof position === 'object' &&
    position !== null &&
    ['plain', 'gzip', 'zstd', 'stream'].includes(position.encoding as string) &&
    typeof position.inode === 'string' &&
    ['string', 'undefined'].includes(typeof position.born) &&
    [position.size, position.offset, position.line, position.countedFrom ?? 0].every(isCount) &&
    isFingerprint(position.head, HEAD_BYTES) &&
    isFingerprint(position.tail, LAST_BYTES) &&
    typeof position.isDone === 'boolean' &&
    typeof position.isPartial === 'boolean'
  )
}

/** Whether a value from a checkpoint is a fingerprint of up to `maxBytes` bytes. */
export function isFingerprint(value: Fingerprint | undefined, maxBytes: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isCount(value.bytes) && value.bytes <= maxBytes && typeof value.sha256 === 'string'
}

// The position of a reader of a row group, and its file: rows of another file do not count.

import { isCount } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'
import { quotePath } from '../../kits/files/errors.ts'
import { fingerprintOf, HEAD_BYTES, isFingerprint } from '../../kits/files/identity.ts'
import type { Position } from '../../source.ts'
import type { FileIdentity } from './file.ts'

export type ParquetPosition = {
  /** Rows of the row group that were read. */
  readonly rows: number
  /** The file's identity and creation time: it is recognized by them under another name. */
  readonly inode: string
  readonly born?: string
  readonly size: FileIdentity['size']
  readonly head: FileIdentity['head']
  readonly footer: FileIdentity['footer']
}

/**
 * How many rows of a row group a position covers, if the file is the one that it belongs to.
 *
 * @throws {SluiceError} POSITION_LOST
 */
export function rowsDone(path: string, position: Position, file: FileIdentity, groupRows: number): number {
  if (typeof position === 'number') {
    throw lost(path, position, 'the checkpoint is of an earlier version, and does not identify the file of its rows')
  }
  if (!isParquetPosition(position)) {
    throw lost(path, 0, `the checkpoint holds no position of a Parquet file: ${JSON.stringify(position)?.slice(0, 60)}`)
  }
  const { rows, size, head, footer } = position
  if (size !== file.size) throw lost(path, rows, `the file has changed from ${size} to ${file.size} bytes`)
  if (head.sha256 !== file.head.sha256) throw lost(path, rows, 'it is another file: its first bytes differ')
  if (footer.sha256 !== file.footer.sha256) throw lost(path, rows, 'it is another file: its last bytes differ')
  if (rows > groupRows) throw lost(path, rows, `the row group has ${groupRows} rows`)
  return rows
}

/** The error for a position that is no longer in the file. */
export function lost(path: string, rows: number, found: string): SluiceError<'POSITION_LOST'> {
  const message = `Cannot resume ${quotePath(path)} from row ${rows}: ${found}`
  return new SluiceError('POSITION_LOST', message, { source: path, position: `row ${rows}` })
}

/** Whether the content is the same, as far as known. */
export function sameFile(one: FileIdentity, other: FileIdentity): boolean {
  return identityHash(one) === identityHash(other)
}

/** A hash of what identifies a file. */
export function identityHash(identity: FileIdentity): string {
  const { size, head, footer } = identity
  return fingerprintOf(Buffer.from(JSON.stringify([size, head.sha256, footer.sha256]))).sha256
}

/** Whether a position is of a Parquet file. */
export function isParquetPosition(value: Position): value is ParquetPosition {
  const position = value as Partial<ParquetPosition> | null
  return (
    typeof position === 'object' &&
    position !== null &&
    typeof position.inode === 'string' &&
    [position.rows, position.size].every(isCount) &&
    isFingerprint(position.head, HEAD_BYTES) &&
    isFingerprint(position.footer, Number.MAX_SAFE_INTEGER)
  )
}

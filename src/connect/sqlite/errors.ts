// Errors of a database, which name the file, what was tried and SQLite's reason.

import { statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf, SluiceError } from '../../base/errors.ts'

/** SQLite's result codes with special handling. */
const PERM = 3
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const TOOBIG = 18
const CONSTRAINT = 19
const MISMATCH = 20
const NOTADB = 26
/** An extended one: the log's shared memory index could not be enlarged. */
const IOERR_SHMSIZE = 4874
/** The step by which the log's index grows. */
const INDEX_BYTES = 32 * 1024

interface SqliteError extends Error {
  /** SQLite's extended result code; its lower byte is the plain one. */
  readonly errcode: number
}

/** The context of the error. */
export interface Place {
  readonly path: string
  /** What was tried, continuing a message after `Cannot`: `write to`. */
  readonly act: string
  readonly table: string
}

/** Whether another connection holds the needed lock. */
export function isBusy(thrown: unknown): boolean {
  const code = codeOf(thrown)
  return code === BUSY || code === LOCKED
}

/** Whether the row is rejected: by the table's constraints or triggers, or by SQLite's limits. */
export function isRowFault(thrown: unknown): boolean {
  const code = codeOf(thrown)
  return code === CONSTRAINT || code === MISMATCH || code === TOOBIG
}

/** Turns what SQLite threw into an error that the caller can act on; what did not come from SQLite is unchanged. */
export function errorOf(thrown: unknown, { path, act, table }: Place): unknown {
  const code = codeOf(thrown)
  if (code === undefined || thrown instanceof SluiceError) return thrown
  const cannot = `Cannot ${act} ${JSON.stringify(path)}`
  const found = messageOf(thrown)
  const stored = (errno: string, words: string) =>
    new SluiceError('STORAGE_FAILED', `${cannot}: ${words}`, { path, errno }, { cause: thrown })
  const unfit = (found: string): SluiceError =>
    new SluiceError('SINK_MISMATCH', `${cannot}: ${found}`, { sink: path, table, found }, { cause: thrown })
  switch (code) {
    case FULL:
      return stored('ENOSPC', 'the disk is full (SQLITE_FULL, ENOSPC)')
    case IOERR: {
      const { errcode } = thrown as SqliteError
      // The log's index is enlarged separately: SQLite reports a full disk there like any other I/O error.
      const isFull = errcode === IOERR_SHMSIZE && !hasRoom(path)
      if (isFull) return stored('ENOSPC', `the disk is full (SQLITE_IOERR ${errcode}, ENOSPC)`)
      return stored('EIO', `input/output error (SQLITE_IOERR ${errcode}, EIO)`)
    }
    case READONLY:
    case PERM:
      return stored('EACCES', `it cannot be written (SQLITE_READONLY, EACCES)`)
    case CANTOPEN:
      return stored('EACCES', 'it, or a file beside it, cannot be opened (SQLITE_CANTOPEN)')
    case CORRUPT:
      return stored('SQLITE_CORRUPT', 'the database, or its disk, is damaged (SQLITE_CORRUPT)')
    case NOTADB:
      return unfit('the file is not an SQLite database')
    case BUSY:
    case LOCKED:
      return new SluiceError('SINK_UNREACHABLE', `${cannot}: ${found}`, { sink: path, attempts: 1 }, { cause: thrown })
    default:
      return unfit(found)
  }
}

/** Whether the disk of a file has room for a larger index. */
function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(resolve(path)))
    return bavail * bsize >= INDEX_BYTES
  } catch {
    // Then nothing is known to be wrong.
    return true
  }
}

function codeOf(thrown: unknown): number | undefined {
  const errcode = thrown instanceof Error ? (thrown as Partial<SqliteError>).errcode : undefined
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

// What goes wrong with a database, as errors that name the file, what was tried and SQLite's reason.

import { statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf, SluiceError } from '../../base/errors.ts'

/** SQLite's result codes that are told apart. */
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
/** An extended one: the index of the log could not be made larger. */
const IOERR_SHMSIZE = 4874
/** What the index of a log is made larger by. */
const INDEX_BYTES = 32 * 1024

interface SqliteError extends Error {
  /** SQLite's extended result code; its lower byte is the plain one. */
  readonly errcode: number
}

/** Where and in what the trouble is. */
export interface Place {
  readonly path: string
  /** What was tried, as a message goes on after `Cannot`: `write to`. */
  readonly act: string
  readonly table: string
}

/** Whether another connection holds the lock that was needed. */
export function isBusy(thrown: unknown): boolean {
  const code = codeOf(thrown)
  return code === BUSY || code === LOCKED
}

/** Whether it is the row that is refused: the table's constraints or triggers, or a value over SQLite's limits. */
export function isRowFault(thrown: unknown): boolean {
  const code = codeOf(thrown)
  return code === CONSTRAINT || code === MISMATCH || code === TOOBIG
}

/** The error that a caller can act on for what SQLite threw; what did not come from SQLite stays as it is. */
export function errorOf(thrown: unknown, { path, act, table }: Place): unknown {
  const code = codeOf(thrown)
  if (code === undefined || thrown instanceof SluiceError) return thrown
  const cannot = `Cannot ${act} ${JSON.stringify(path)}`
  const found = messageOf(thrown)
  const stored = (errno: string, words: string) =>
    new SluiceError('STORAGE_FAILED', `${cannot}: ${words}`, { path, errno }, { cause: thrown })
  switch (code) {
    case FULL:
      return stored('ENOSPC', 'the disk is full (SQLITE_FULL, ENOSPC)')
    case IOERR: {
      const { errcode } = thrown as SqliteError
      // The index of the log is made larger by itself: SQLite tells of that as of any other trouble.
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
      return mismatch(`${cannot}: the file is no SQLite database`, path, table, 'no SQLite database', thrown)
    case BUSY:
    case LOCKED:
      return new SluiceError('SINK_UNREACHABLE', `${cannot}: ${found}`, { sink: path, attempts: 1 }, { cause: thrown })
    default:
      return mismatch(`${cannot}: ${found}`, path, table, found, thrown)
  }
}

/** The error for a table that is there and does not fit. */
export function mismatch(
  message: string,
  sink: string,
  table: string,
  found: string,
  cause?: unknown,
): SluiceError<'SINK_MISMATCH'> {
  return new SluiceError('SINK_MISMATCH', message, { sink, table, found }, { cause })
}

/** Whether the disk of a file has room for a larger index. */
function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(resolve(path)))
    return bavail * bsize >= INDEX_BYTES
  } catch {
    // Then nothing is known against it.
    return true
  }
}

function codeOf(thrown: unknown): number | undefined {
  const errcode = thrown instanceof Error ? (thrown as Partial<SqliteError>).errcode : undefined
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

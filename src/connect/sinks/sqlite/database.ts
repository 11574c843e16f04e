// Opens a SQLite database file, with errors that say what is in the way.

import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SluiceError } from '../../../base/errors.ts'

/** How long SQLite itself waits for a lock: the thread stands still meanwhile, so the writer waits longer by itself. */
const BUSY_TIMEOUT_MS = 20

/**
 * Opens a database, or makes the file.
 *
 * @param path - always a file: no URI and no name of SQLite's own (`:memory:`)
 * @throws {SluiceError} STORAGE_FAILED where there can be no such file
 */
export function openDatabase(path: string): DatabaseSync {
  const folder = dirname(resolve(path))
  if (kindOf(folder) !== 'folder') throw unusable(path, 'ENOENT', `there is no folder ${JSON.stringify(folder)}`)
  if (kindOf(resolve(path)) === 'folder') throw unusable(path, 'EISDIR', 'it is a folder')
  try {
    return new DatabaseSync(resolve(path), { timeout: BUSY_TIMEOUT_MS })
  } catch (error) {
    throw unusable(path, 'EACCES', 'the file cannot be opened or made', error)
  }
}

function kindOf(path: string): 'folder' | 'other' | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? undefined : stats.isDirectory() ? 'folder' : 'other'
}

function unusable(path: string, errno: string, found: string, cause?: unknown): SluiceError<'STORAGE_FAILED'> {
  const message = `Cannot open ${JSON.stringify(path)}: ${found} (${errno})`
  return new SluiceError('STORAGE_FAILED', message, { path, errno }, { cause })
}

// Opens a SQLite database file, with errors that say what is in the way.

import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { checkFolder } from '../../kits/sql/check-folder.ts'
import { openSqlite } from '../../kits/sql/open-sqlite.ts'
import { errorOf } from '../errors.ts'

/** How long SQLite itself waits for a lock: the thread stands still meanwhile, so the writer waits longer by itself. */
const BUSY_TIMEOUT_MS = 20

/**
 * Opens a database, or makes the file.
 *
 * @param path - always a file: no URI and no name of SQLite's own (`:memory:`)
 * @throws {SluiceError} STORAGE_FAILED where there can be no such file
 */
export function openDatabase(path: string): DatabaseSync {
  checkFolder(path)
  try {
    return openSqlite(resolve(path), { timeout: BUSY_TIMEOUT_MS })
  } catch (error) {
    throw errorOf(error, { path, act: 'open', table: '' })
  }
}

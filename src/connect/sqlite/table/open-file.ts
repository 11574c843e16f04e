// Opens an SQLite database file, with errors that say what went wrong.

import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { checkFolder } from '../../kits/sql/check-folder.ts'
import { openSqlite } from '../../kits/sql/open-sqlite.ts'
import { errorOf } from '../errors.ts'

/** How long SQLite itself waits for a lock: the thread is blocked meanwhile, so the writer does its own waiting. */
const BUSY_TIMEOUT_MS = 20

/**
 * Opens a database, or creates the file.
 *
 * @param path - always a file: not a URI or a special name of SQLite (`:memory:`)
 * @throws {SluiceError} STORAGE_FAILED if there can be no such file
 */
export function openDatabase(path: string): DatabaseSync {
  checkFolder(path)
  try {
    return openSqlite(resolve(path), { timeout: BUSY_TIMEOUT_MS })
  } catch (error) {
    throw errorOf(error, { path, act: 'open', table: '' })
  }
}

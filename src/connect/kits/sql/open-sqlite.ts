// Opens a file with Node's built-in SQLite. An older Node has none, and must load the library to say so.

import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite'

export function openSqlite(path: string, options: DatabaseSyncOptions): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  return new DatabaseSync(path, options)
}

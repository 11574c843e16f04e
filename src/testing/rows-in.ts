// Looks into a SQLite database, for tests.

import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'

/** The rows of a query. */
export function rowsIn(path: string, sql: string): Record<string, SQLOutputValue>[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    database.close()
  }
}

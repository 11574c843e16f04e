// SQLite's statements and tables, for the code shared by all SQL databases.

import type { DatabaseSync } from 'node:sqlite'
import { ensureTable } from '../../kits/sql/table.ts'
import { OF_A_FILE, type SqlDialect } from '../../kits/store/dialect.ts'
import { type Answer, plainRow, runSync, type Statement, type Work } from '../../kits/store/work.ts'
import { sqliteTables } from './table.ts'

/** Does work without interruption. */
export function doWork<T>(database: DatabaseSync, work: Work<T>): T {
  return runSync(work, (statement) => execute(database, statement))
}

export function sqliteDialect(path: string): SqlDialect {
  return {
    ...OF_A_FILE,
    parameter: () => '?',
    tables: 'select lower(name) as name from sqlite_schema',
    types: { bytes: 'blob', time: 'integer' },
    letterMillis: (column) => column,
    storable: (text) => text.toWellFormed(),
    makeTable: (shape) => ensureTable(sqliteTables({ path }), shape),
  }
}

function execute(database: DatabaseSync, { sql, values, isQuery }: Statement): Answer {
  const statement = database.prepare(sql)
  if (!isQuery) return { rows: [], changes: Number(statement.run(...values).changes) }
  // Otherwise a number that JavaScript cannot hold could not be read at all.
  statement.setReadBigInts(true)
  return { rows: statement.all(...values).map(plainRow), changes: 0 }
}

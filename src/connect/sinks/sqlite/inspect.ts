// Looks at what a SQLite file keeps of a pipeline.

import { existsSync } from 'node:fs'
import { openSqlite } from '../../sql/open-sqlite.ts'
import type { SqlConnection } from '../../sql/store/database.ts'
import { SqlInspector } from '../../sql/store/inspector.ts'
import type { StoreOptions } from '../../sql/store/store.ts'
import { execute, sqliteDialect } from './session.ts'
import { troubleOf } from './trouble.ts'

export interface InspectOptions extends StoreOptions {
  readonly path: string
  /** The table that errors name. */
  readonly table: string
}

/** How long another program may hold the file's lock. */
const LOCK_WAIT_MS = 5000

export function inspectSqlite({ path, table, ...options }: InspectOptions): SqlInspector {
  if (!existsSync(path)) return new SqlInspector(undefined, options)
  const database = openSqlite(path, { timeout: LOCK_WAIT_MS })
  const connection: SqlConnection = {
    dialect: sqliteDialect(path),
    execute: (statement) => execute(database, statement),
    begin: (act) => database.exec(act === 'read' ? 'begin' : 'begin immediate'),
    commit: () => database.exec('commit'),
    rollBack() {
      if (database.isTransaction) database.exec('rollback')
    },
    trouble: (error, act) => troubleOf(error, { path, act, table }),
    close: () => database.close(),
  }
  return new SqlInspector(connection, options)
}

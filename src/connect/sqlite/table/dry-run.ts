// A copy of an SQLite file in memory, without its rows: what is rejected there would be rejected in the file.

import { existsSync } from 'node:fs'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { checkFolder } from '../../kits/sql/check-folder.ts'
import { quoteName } from '../../kits/sql/name.ts'
import { openSqlite } from '../../kits/sql/open-sqlite.ts'
import { openDatabase } from './open-file.ts'

/**
 * Copies tables, indices, views and triggers, and what is stored of one pipeline. The file is only read: its writers
 * are not blocked. Without a file, the copy is empty.
 *
 * @throws {SluiceError} STORAGE_FAILED if there can be no such file
 */
export function copyForDryRun(path: string, pipeline: string): DatabaseSync {
  checkFolder(path)
  const copy = openSqlite(':memory:', {})
  if (!existsSync(path)) return copy
  const file = openDatabase(path)
  try {
    copySchema(file, copy)
    const tables = file.prepare(
      "select name from sqlite_schema where type = 'table' and name like 'sluice~_%' escape '~'",
    )
    for (const { name } of tables.all()) copyRows(file, copy, String(name), pipeline)
    return copy
  } finally {
    file.close()
  }
}

function copySchema(file: DatabaseSync, copy: DatabaseSync): void {
  const sql =
    "select sql from sqlite_schema where sql is not null and name not like 'sqlite~_%' escape '~' order by rowid"
  for (const { sql: create } of file.prepare(sql).all()) {
    try {
      copy.exec(String(create))
    } catch {
      // A virtual table of a missing module: rows that need it are rejected by both.
    }
  }
}

function copyRows(file: DatabaseSync, copy: DatabaseSync, table: string, pipeline: string): void {
  // The version of the tables, and leases that may exclude a run that migrates them.
  const isWhole = table === 'sluice_store' || table === 'sluice_leases'
  const select = file.prepare(`select * from ${quoteName(table)}${isWhole ? '' : ' where pipeline = ?'}`)
  select.setReadBigInts(true)
  for (const row of select.all(...(isWhole ? [] : [pipeline])) as Record<string, SQLInputValue>[]) {
    const names = Object.keys(row)
    const places = names.map(() => '?').join(', ')
    copy
      .prepare(`insert into ${quoteName(table)} (${names.map(quoteName).join(', ')}) values (${places})`)
      .run(...Object.values(row))
  }
}

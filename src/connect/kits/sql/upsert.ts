// Rows that overwrite those with the same key.

import { quoteName } from './name.ts'

export interface Upsert {
  /** As SQL. */
  readonly table: string
  readonly columns: readonly string[]
  /** The columns of the key. */
  readonly key: readonly string[]
  /** Rows as SQL, in parentheses; or a query that returns them. */
  readonly rows: readonly string[] | string
  /** Whether an existing row is left unchanged. */
  readonly keepsOld?: boolean
}

type Fold = (name: string) => string

/** The statement, in the dialect of SQLite, PostgreSQL and DuckDB. */
export function upsert({ table, columns, key, rows, keepsOld = false }: Upsert, fold: Fold = same): string {
  const names = columns.map(quoteName).join(', ')
  const conflict = onConflict(keepsOld ? key : columns, key, fold)
  const from = typeof rows === 'string' ? rows : `values ${rows.join(', ')}`
  return `insert into ${table} (${names}) ${from} ${conflict}`
}

/**
 * What follows an `insert` of rows some of which may exist.
 *
 * @example
 * onConflict(['id', 'n'], ['id']) // => 'on conflict ("id") do update set "n" = excluded."n"'
 */
export function onConflict(columns: readonly string[], key: readonly string[], fold: Fold = same): string {
  const keys = new Set(key.map(fold))
  const others = columns.filter((name) => !keys.has(fold(name))).map(quoteName)
  const action =
    others.length === 0 ? 'nothing' : `update set ${others.map((of) => `${of} = excluded.${of}`).join(', ')}`
  return `on conflict (${key.map(quoteName).join(', ')}) do ${action}`
}

function same(name: string): string {
  return name
}

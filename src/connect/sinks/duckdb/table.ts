// The table that rows go to: made, or looked at and found to fit.

import { SluiceError } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import type { Session } from '../../duckdb/session.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { typeOf } from './value.ts'

export interface TableColumn {
  readonly name: string
  readonly type: ColumnType
}

/** What a table asks of its rows. */
export interface Constraints {
  readonly notNull: ReadonlySet<string>
  /** Conditions in SQL. */
  readonly checks: readonly { readonly sql: string; readonly text: string }[]
  /** Columns that are unique together, beside the key that rows are overwritten by. */
  readonly unique: readonly { readonly columns: readonly string[]; readonly text: string }[]
  /** Whether rows must be looked at beside those that are there: the table asks for more than `notNull` and its key. */
  readonly mayRefuse: boolean
}

/** @throws {SluiceError} SINK_MISMATCH for a table that is there and does not fit */
export async function ensureTable(
  session: Session,
  table: string,
  columns: readonly TableColumn[],
  key: readonly string[] | undefined,
  extend: boolean,
): Promise<Constraints> {
  const there = await columnsOf(session, table)
  if (there.size === 0) await create(session, table, columns, key)
  else await fit(session, table, columns, there, extend)
  const found = await constraintsOf(session, table, key)
  if (key !== undefined && !found.hasKey) {
    throw mismatch(session, table, `has no primary key or unique constraint on ${key.join(', ')}`)
  }
  const mayRefuse = found.checks.length > 0 || found.unique.length > 0
  return { ...found, mayRefuse }
}

async function create(
  session: Session,
  table: string,
  columns: readonly TableColumn[],
  key: readonly string[] | undefined,
): Promise<void> {
  const fields = columns.map(({ name, type }) => `${quoteName(name)} ${typeOf(type)}`)
  if (key !== undefined) fields.push(`primary key (${key.map(quoteName).join(', ')})`)
  await session.run(`create table ${quoteName(table)} (${fields.join(', ')})`)
}

async function fit(
  session: Session,
  table: string,
  columns: readonly TableColumn[],
  there: ReadonlyMap<string, string>,
  extend: boolean,
): Promise<void> {
  for (const { name, type } of columns) {
    const wanted = typeOf(type)
    const found = there.get(foldName(name))
    if (found === undefined && extend) {
      await session.run(`alter table ${quoteName(table)} add column ${quoteName(name)} ${wanted}`)
    } else if (found === undefined) throw mismatch(session, table, `has no column named ${name}`)
    else if (found !== wanted && !(found === 'JSON' && type === 'json')) {
      throw mismatch(session, table, `has column ${name} as ${found}, and rows bring ${wanted}`)
    }
  }
}

/** Name, as names are compared → type. */
async function columnsOf(session: Session, table: string): Promise<Map<string, string>> {
  const rows = await session.all(
    `select column_name as name, data_type as type from duckdb_columns()
     where schema_name = 'main' and lower(table_name) = lower($1) and not internal and database_name = current_database()
     order by column_index`,
    [table],
  )
  return new Map(rows.map(({ name, type }) => [foldName(String(name)), String(type)]))
}

async function constraintsOf(
  session: Session,
  table: string,
  key: readonly string[] | undefined,
): Promise<Omit<Constraints, 'mayRefuse'> & { readonly hasKey: boolean }> {
  const rows = await session.all(
    `select constraint_type as kind, constraint_text as text, expression as sql, constraint_column_names as names
     from duckdb_constraints() where lower(table_name) = lower($1) and database_name = current_database()`,
    [table],
  )
  const notNull = new Set<string>()
  const checks: { sql: string; text: string }[] = []
  const unique: { columns: string[]; text: string }[] = []
  let hasKey = false
  const isKey = (columns: readonly string[]): boolean =>
    key !== undefined &&
    columns.length === key.length &&
    key.every((name) => columns.some((one) => foldName(one) === foldName(name)))
  for (const { kind, text, sql, names } of rows) {
    const columns = ((names as { items?: readonly unknown[] } | null)?.items ?? []).map(String)
    if (kind === 'NOT NULL') for (const column of columns) notNull.add(foldName(column))
    else if (kind === 'CHECK') checks.push({ sql: String(sql), text: String(text) })
    else if (kind === 'PRIMARY KEY' || kind === 'UNIQUE') {
      if (isKey(columns)) hasKey = true
      else unique.push({ columns, text: String(text) })
    }
  }
  return { notNull, checks, unique, hasKey }
}

function mismatch({ path }: Session, table: string, found: string): SluiceError<'SINK_MISMATCH'> {
  const message = `Cannot load into table ${table} of ${JSON.stringify(path)}: it ${found}`
  return new SluiceError('SINK_MISMATCH', message, { sink: path, table, found })
}

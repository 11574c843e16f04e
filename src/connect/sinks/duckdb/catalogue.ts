// What DuckDB says of a table.

import type { Session } from '../../duckdb/session.ts'
import { foldName } from '../../sql/name.ts'

export interface FoundColumn {
  readonly name: string
  readonly type: string
  /** The texts of an enum, or of a list of one. */
  readonly labels: readonly string[]
  /** Whether a row without it is refused: it must not be null, and has no default. */
  readonly isRequired: boolean
}

export interface FoundTable {
  readonly columns: readonly FoundColumn[]
  /** Whether this sink made it. */
  readonly isOurs: boolean
  /** The statements that make it and its indexes. */
  readonly sql: string
  readonly indexes: readonly string[]
}

/** What a table asks of its rows. */
export interface Constraints {
  readonly notNull: ReadonlySet<string>
  /** Conditions in SQL. */
  readonly checks: readonly { readonly sql: string; readonly text: string }[]
  /** Columns that are unique together, beside the key that rows are overwritten by. */
  readonly unique: readonly { readonly columns: readonly string[]; readonly text: string }[]
  readonly hasKey: boolean
}

/** What DuckDB keeps with a table that was made here: it goes with the table. */
export const MARK = 'made by Sluice'

/** Tables are those of the file's schema `main`: another schema may have some of the same name. */
const WHERE = `where schema_name = 'main' and lower(table_name) = lower($1) and database_name = current_database()`

/** A table as it is now; undefined if it does not exist. */
export async function findTable(session: Session, table: string): Promise<FoundTable | undefined> {
  const [about] = await session.all(`select comment, sql from duckdb_tables() ${WHERE} and not internal`, [table])
  if (about === undefined) return undefined
  const rows = await session.all(
    `select column_name as name, data_type as type, not is_nullable and column_default is null as required
     from duckdb_columns() ${WHERE} and not internal order by column_index`,
    [table],
  )
  const columns: FoundColumn[] = []
  for (const { name, type, required } of rows) {
    const declared = String(type)
    const labels = declared.startsWith('ENUM(') ? await labelsOf(session, declared.replace(/\[\d*\]$/, '')) : []
    columns.push({ name: String(name), type: declared, labels, isRequired: required === true })
  }
  const indexes = await session.all(`select sql from duckdb_indexes() ${WHERE}`, [table])
  const isOurs = about.comment === MARK
  return { columns, isOurs, sql: String(about.sql), indexes: indexes.map(({ sql }) => String(sql)) }
}

export async function constraintsOf(
  session: Session,
  table: string,
  key: readonly string[] | undefined,
): Promise<Constraints> {
  const rows = await session.all(
    `select constraint_type as kind, constraint_text as text, expression as sql, constraint_column_names as names
     from duckdb_constraints() ${WHERE}`,
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

/** The names of all schemas of the file, but the one that tables are made in. */
export async function otherSchemas(session: Session): Promise<readonly string[]> {
  const rows = await session.all(
    `select schema_name as name from duckdb_schemas() where database_name = current_database() and schema_name <> 'main'`,
  )
  return rows.map(({ name }) => String(name))
}

async function labelsOf(session: Session, type: string): Promise<readonly string[]> {
  const [row] = await session.all(`select enum_range(null::${type})::varchar[] as labels`)
  return ((row?.labels as { items?: readonly unknown[] } | null)?.items ?? []).map(String)
}

// DuckDB's description of a table.

import { foldName } from '../../kits/sql/name.ts'
import { type FoundColumn as Column, type FoundTable as Found, MARK } from '../../kits/sql/table.ts'
import { all, type SqlRow, type Work } from '../../kits/store/work.ts'

export interface FoundColumn extends Column {
  readonly type: string
  /** The labels of an enum, or of a list of one. */
  readonly labels: readonly string[]
}

export interface FoundTable extends Found {
  readonly columns: readonly FoundColumn[]
  /** The statements that create it and its indexes. */
  readonly sql: string
  readonly indexes: readonly string[]
  /** Its constraints on rows. */
  readonly constraints: Constraints
}

export interface Constraints {
  /** Folded names. */
  readonly notNull: ReadonlySet<string>
  /** SQL conditions. */
  readonly checks: readonly { readonly sql: string; readonly text: string }[]
  /** Columns that are unique together. */
  readonly unique: readonly { readonly columns: readonly string[]; readonly text: string }[]
}

/** Tables are in the file's schema `main`: another schema may have tables of the same name. */
const WHERE = `where schema_name = 'main' and lower(table_name) = lower($1) and database_name = current_database()`

/** A table as it is now; undefined if it does not exist. */
export function* findTable(table: string): Work<FoundTable | undefined> {
  const [about] = yield* all(`select comment, sql from duckdb_tables() ${WHERE} and not internal`, [table])
  if (about === undefined) return undefined
  const rows = yield* all(
    `select column_name as name, data_type as type, not is_nullable and column_default is null as required
     from duckdb_columns() ${WHERE} and not internal order by column_index`,
    [table],
  )
  const columns: FoundColumn[] = []
  for (const { name, type, required } of rows) {
    const declared = String(type)
    const labels = declared.startsWith('ENUM(') ? yield* labelsOf(declared.replace(/\[\d*\]$/, '')) : []
    columns.push({ name: String(name), type: declared, labels, isRequired: required === true })
  }
  const indexes = (yield* all(`select sql from duckdb_indexes() ${WHERE}`, [table])).map(({ sql }) => String(sql))
  const constraints = constraintsOf(
    yield* all(
      `select constraint_type as kind, constraint_text as text, expression as sql, constraint_column_names as names
       from duckdb_constraints() ${WHERE}`,
      [table],
    ),
  )
  const keys = constraints.unique.map((one) => one.columns)
  return { columns, isOurs: about.comment === MARK, sql: String(about.sql), indexes, constraints, keys }
}

/** The names of all schemas of the file. */
export function* schemasOf(): Work<readonly string[]> {
  const rows = yield* all('select schema_name as name from duckdb_schemas() where database_name = current_database()')
  return rows.map(({ name }) => String(name))
}

function constraintsOf(rows: readonly SqlRow[]): Constraints {
  const notNull = new Set<string>()
  const checks: { sql: string; text: string }[] = []
  const unique: { columns: readonly string[]; text: string }[] = []
  for (const { kind, text, sql, names } of rows) {
    const columns = textsOf(names)
    if (kind === 'NOT NULL') for (const column of columns) notNull.add(foldName(column))
    else if (kind === 'CHECK') checks.push({ sql: String(sql), text: String(text) })
    else if (kind === 'PRIMARY KEY' || kind === 'UNIQUE') unique.push({ columns, text: String(text) })
  }
  return { notNull, checks, unique }
}

function* labelsOf(type: string): Work<readonly string[]> {
  return textsOf((yield* all(`select enum_range(null::${type})::varchar[] as labels`))[0]?.labels)
}

function textsOf(list: unknown): readonly string[] {
  return ((list as { readonly items?: readonly unknown[] } | null | undefined)?.items ?? []).map(String)
}

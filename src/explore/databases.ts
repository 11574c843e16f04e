// Tables of databases: by a URL with `?table=`, or a file with `#table`.

import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { SluiceError } from '../base/errors.ts'
import { duckdbSource } from '../connect/duckdb/source.ts'
import { readAt } from '../connect/kits/files/identity.ts'
import { quoteName } from '../connect/kits/sql/name.ts'
import { addressOf } from '../connect/postgres/connection.ts'
import { postgresSource } from '../connect/postgres/source.ts'
import type { Source } from '../connect/source.ts'
import { sqliteSource } from '../connect/sqlite/source.ts'
import { call, type Piece, plain, plainName } from '../scaffold/code.ts'
import type { Found, Looking } from './found.ts'
import { sample } from './sample.ts'

/** The variable that a pipeline reads the address of its database from: an address holds a password. */
const URL_VARIABLE = 'SOURCE_URL'

/** A database: how its tables are read, by name and by queries. */
interface Database {
  readonly words: string
  /** What it is called in errors. */
  readonly shown: string
  readonly read: (options: { readonly table: string } | { readonly query: string }) => Source<unknown>
  readonly code: (table: string) => Piece
  /** A query for the names of its tables, as `name`. */
  readonly tables: string
  /** A query for how many rows a table has, as `n`: exactly or nearly, but soon. */
  readonly count: (table: string) => string
  readonly isCountExact: boolean
  /** How a table is named in `sluice try`. */
  readonly example: (table: string) => string
  readonly env?: Readonly<Record<string, string>>
}

/** A table of a PostgreSQL database: `postgres://…?table=t`. */
export async function findPostgres(given: string, looking: Looking): Promise<Found> {
  const url = URL.parse(given)
  const table = url?.searchParams.get('table') ?? undefined
  const schema = url?.searchParams.get('schema') ?? undefined
  url?.searchParams.delete('table')
  url?.searchParams.delete('schema')
  const connection = url?.href ?? given
  const within = schema === undefined ? {} : { schema }
  const retryMs = 0
  const qualified = (name: string): string =>
    schema === undefined ? quoteName(name) : `${quoteName(schema)}.${quoteName(name)}`
  return await findTable(
    {
      words: 'PostgreSQL',
      shown: addressOf(connection),
      read: (options) => postgresSource(connection, { ...options, ...('table' in options ? within : {}), retryMs }),
      code: (name) => call('postgresSource<Row>', [ENV_URL], { table: name, ...within }, 'sluice/postgres'),
      tables: `select table_name as name from information_schema.tables
        where table_schema not in ('pg_catalog', 'information_schema') order by 1`,
      count: (name) =>
        `select greatest(reltuples, 0)::bigint as n from pg_class where oid = to_regclass(${text(qualified(name))})`,
      isCountExact: false,
      example: (name) => `…?table=${name}`,
      env: { [URL_VARIABLE]: connection },
    },
    table,
    looking,
  )
}

const ENV_URL = plain(`process.env.${URL_VARIABLE} ?? ''`)

/** A table of a SQLite or DuckDB file: `x.sqlite#t`; undefined if it is neither. */
export async function findDatabaseFile(given: string, looking: Looking): Promise<Found | undefined> {
  const [path, table] = existsSync(given) ? [given, undefined] : splitAtHash(given)
  const kind = await kindOf(path)
  if (kind === undefined) return undefined
  const example = (name: string): string => `${path}#${name}`
  if (kind === 'sqlite') {
    return await findTable(
      {
        words: 'SQLite',
        shown: path,
        read: (options) => sqliteSource(path, { ...options, retryMs: 0 }),
        code: (name) => call('sqliteSource<Row>', [path], { table: name }),
        tables: `select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\' order by 1`,
        count: (name) => `select max(rowid) as n from ${quoteName(name)}`,
        isCountExact: false,
        example,
      },
      table,
      looking,
    )
  }
  return await findTable(
    {
      words: 'DuckDB',
      shown: path,
      read: (options) => duckdbSource(path, options),
      code: (name) => call('duckdbSource<Row>', [path], { table: name }, 'sluice/duckdb'),
      tables: 'select table_name as name from information_schema.tables order by 1',
      count: (name) => `select count(*) as n from ${quoteName(name)}`,
      isCountExact: true,
      example,
    },
    table,
    looking,
  )
}

function splitAtHash(given: string): readonly [path: string, table: string | undefined] {
  const at = given.lastIndexOf('#')
  return at === -1 ? [given, undefined] : [given.slice(0, at), given.slice(at + 1) || undefined]
}

async function kindOf(path: string): Promise<'sqlite' | 'duckdb' | undefined> {
  try {
    await using file = await open(path)
    if (!(await file.stat()).isFile()) return undefined
    const head = (await readAt(file, 0, 16)).toString('latin1')
    if (head.startsWith('SQLite format 3\0')) return 'sqlite'
    return head.slice(8, 12) === 'DUCK' ? 'duckdb' : undefined
  } catch {
    return undefined // Whoever opens it as a file says why it cannot be read.
  }
}

async function findTable(database: Database, given: string | undefined, looking: Looking): Promise<Found> {
  const { words, shown } = database
  const table = given ?? (await onlyTable(database, looking))
  return {
    words: `table ${table} of ${words}`,
    source: database.read({ table }),
    code: database.code(table),
    hasRowType: true,
    name: plainName(table),
    sizeBytes: undefined,
    notes: given === undefined ? [`${table} is the only table of ${shown}`] : [],
    async countRows(counting) {
      const [row] = await rowsOf(database, database.count(table), counting)
      const rows = Number(row?.n ?? Number.NaN)
      return rows > 0 ? { rows, isExact: database.isCountExact } : undefined
    },
    ...(database.env === undefined ? {} : { env: database.env }),
  }
}

/** The most tables that are named. */
const NAMED = 30

async function onlyTable({ shown, tables, example, ...database }: Database, looking: Looking): Promise<string> {
  const all = (await rowsOf(database, tables, looking)).map(({ name }) => String(name))
  // Those in which Sluice keeps its own accounts are seldom meant.
  const names = all.filter((name) => !name.startsWith('sluice_') && name !== 'dead_letters')
  const [only] = names
  if (only !== undefined && names.length === 1) return only
  const listed = names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ', …' : '')
  const found =
    names.length === 0
      ? 'it has no table'
      : `it has ${names.length} tables, name one as in ${example(only ?? '')}: ${listed}`
  const message = `Cannot try ${shown}: ${found}`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'table', value: undefined, allowed: listed })
}

async function rowsOf(
  { read }: Pick<Database, 'read'>,
  query: string,
  { untilMs, signal }: Looking,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const rows: Record<string, unknown>[] = []
  const onRead = ({ events }: { readonly events: { values(): readonly unknown[] } }): void => {
    rows.push(...(events.values() as Record<string, unknown>[]))
  }
  await sample(read({ query }), { untilMs, signal, maxRecords: 10_000, onRead })
  return rows
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

// Tables in a PostgreSQL database: made where they are missing, compared where they are there, changed where rows need it.

import { SluiceError } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import type { PostgresClient } from '../../postgres/client.ts'
import type { SchemaMode } from '../../sql/evolve.ts'
import { quoteName } from '../../sql/name.ts'
import { type FoundColumn, type FoundTable, findTable, MARK } from './catalogue.ts'
import { type Codec, codecOf } from './codec.ts'
import type { Shape } from './shape.ts'

/** Where a table is to be, and what may be done for it. */
export interface Place {
  /** The server and database, for errors. */
  readonly sink: string
  readonly schema: string
  /** Whether a table that is missing is made. */
  readonly create: boolean
  /** What becomes of rows that do not fit; by default `evolve` in tables that were made here, else `freeze`. */
  readonly mode: SchemaMode | undefined
  readonly onNote: ((note: string) => void) | undefined
}

/** A column that rows go into, with how they do. */
export interface TableColumn {
  readonly name: string
  readonly codec: Codec
  /** Its type in SQL, as it is declared. */
  readonly declared: string
  /** That type without its limits, and without what a domain asks for. */
  readonly base: string
}

/** A table that is there and takes the rows of a shape. */
export interface Table {
  /** Schema and name as SQL. */
  readonly sql: string
  readonly shape: Shape
  readonly mode: SchemaMode
  /** Those that rows go into. */
  readonly columns: readonly TableColumn[]
  /** The names of all, less those that the server alone gives values. */
  readonly names: ReadonlySet<string>
  /** Changes whenever something about the table does that matters to rows. */
  readonly fingerprint: string
}

/** Types of columns that are made. */
export const DECLARED: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: 'bigint',
  real: 'double precision',
  decimal: 'numeric',
  boolean: 'boolean',
  time: 'timestamp with time zone',
  json: 'jsonb',
  bytes: 'bytea',
}

/**
 * Makes a table, or takes the one that is there if it has all columns that were named, each of a type that holds them.
 * To be called inside a transaction.
 *
 * @throws {SluiceError} SINK_MISMATCH, naming the columns that are missing or do not fit
 */
export async function ensureTable(client: PostgresClient, place: Place, shape: Shape): Promise<Table> {
  const found = await findTable(client, place.schema, shape.table)
  if (found !== undefined && !lacksNamed(place, shape, found)) return adopt(place, shape, found)
  await lockSchemas(client)
  const now = await findTable(client, place.schema, shape.table)
  if (now === undefined) {
    if (!place.create) throw unfit(place, shape.table, 'there is no such table')
    await makeTable(client, place, shape)
  } else if (lacksNamed(place, shape, now)) {
    for (const { name, type } of missingOf(shape, now)) {
      if (type !== undefined) await client.query(addColumn(sqlName(place.schema, shape.table), name, type))
    }
  }
  return adopt(place, shape, (await findTable(client, place.schema, shape.table)) ?? now)
}

export function addColumn(sql: string, name: string, type: ColumnType): string {
  return `alter table ${sql} add ${quoteName(name)} ${DECLARED[type]}`
}

/** Keeps others from changing schemas at the same time, until the transaction ends: `create` fails where two do. */
export async function lockSchemas(client: PostgresClient): Promise<void> {
  await client.query(`select pg_catalog.pg_advisory_xact_lock(7236837542)`)
}

/** Schema and name as SQL. */
export function sqlName(schema: string, table: string): string {
  return `${quoteName(schema)}.${quoteName(table)}`
}

/** The error for a table that is there and does not fit. */
export function unfit(
  { sink }: Pick<Place, 'sink'>,
  table: string,
  found: string,
  cause?: unknown,
): SluiceError<'SINK_MISMATCH'> {
  const message = `Cannot write to table ${table} in ${sink}: ${found}`
  return new SluiceError('SINK_MISMATCH', message, { sink, table, found }, { cause })
}

function lacksNamed({ mode }: Place, shape: Shape, found: FoundTable): boolean {
  return !shape.isInferred && mode === 'evolve' && missingOf(shape, found).length > 0
}

function missingOf(shape: Shape, found: FoundTable): Shape['columns'] {
  const names = new Set(found.columns.map(({ name }) => name))
  return shape.columns.filter(({ name }) => !names.has(name))
}

function modeOf(mode: SchemaMode | undefined, { isOurs }: FoundTable): SchemaMode {
  return mode ?? (isOurs ? 'evolve' : 'freeze')
}

function adopt(place: Place, shape: Shape, found: FoundTable | undefined): Table {
  const { table, key } = shape
  if (found === undefined) throw unfit(place, table, 'it is gone')
  if (found.kind !== 'r' && found.kind !== 'p') throw unfit(place, table, 'it is no table, but a view or the like')
  if (found.persistence === 'u') throw unfit(place, table, 'it is unlogged: a crash of the server would empty it')
  const missing = shape.isInferred ? [] : missingOf(shape, found).map(({ name }) => name)
  if (missing.length > 0) throw unfit(place, table, `it has no column ${missing.join(', ')}`)
  const mode = modeOf(place.mode, found)
  const used = usedOf(shape, found)
  const columns = used.map((column) => adoptColumn(place, shape, mode, column))
  const required = found.columns.filter((column) => column.isRequired && !used.includes(column)).map(({ name }) => name)
  if (required.length > 0) {
    throw unfit(
      place,
      table,
      `its column ${required.join(', ')} is not null and has no default, and rows have no such column`,
    )
  }
  if (key !== undefined && !found.keys.some((names) => isSame(names, key))) {
    throw unfit(place, table, `it has no primary key or unique index of ${key.join(', ')} and nothing else`)
  }
  const names = new Set(found.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => name))
  return { sql: sqlName(place.schema, table), shape, mode, columns, names, fingerprint: JSON.stringify(found) }
}

/** The columns that rows go into: those that were named, or all of a table that was made here, or those that rows have. */
function usedOf(shape: Shape, found: FoundTable): readonly FoundColumn[] {
  const there = new Map(found.columns.map((column) => [column.name, column]))
  const named = shape.columns.flatMap(({ name }) => there.get(name) ?? [])
  if (!shape.isInferred || !found.isOurs) return named
  return found.columns.filter((column) => !column.isGenerated || named.includes(column))
}

function adoptColumn(place: Place, shape: Shape, mode: SchemaMode, found: FoundColumn): TableColumn {
  const { name, declared, base, isGenerated } = found
  if (isGenerated) throw unfit(place, shape.table, `its column ${name} is generated by the server alone`)
  const named = shape.isInferred ? undefined : shape.columns.find((column) => column.name === name)?.type
  const codec = codecOf(found, { named, takesAnyText: shape.isInferred && mode === 'evolve' })
  if (named === undefined || codec.takes.includes(named)) return { name, codec, declared, base }
  throw unfit(place, shape.table, `its column ${name} is ${declared}, rows have ${named} for it`)
}

async function makeTable(client: PostgresClient, place: Place, shape: Shape): Promise<void> {
  const { table, columns, key } = shape
  const sql = sqlName(place.schema, table)
  // What has no value yet comes with its first one, if columns are added.
  const made = columns.flatMap(({ name, type }) => {
    const isMade = type !== undefined || place.mode === 'freeze' || key?.includes(name) === true
    return isMade ? [{ name, type: type ?? 'text' }] : []
  })
  const lines = made.map(({ name, type }) => {
    return `${quoteName(name)} ${DECLARED[type]}${key?.includes(name) === true ? ' not null' : ''}`
  })
  if (key !== undefined) lines.push(`primary key (${key.map(quoteName).join(', ')})`)
  await client.query(`create table ${sql} (${lines.join(', ')}); comment on table ${sql} is '${MARK}'`)
  if (!shape.isInferred) return
  const types = made.map(({ name, type }) => `${name} ${type}`).join(', ')
  place.onNote?.(`made table ${table} with the columns of the first rows: ${types}`)
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(b)
  return names.size === a.length && a.every((name) => names.has(name))
}

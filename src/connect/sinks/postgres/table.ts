// Tables in a PostgreSQL database: made where they are missing, compared where they are there.

import { SluiceError } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import type { PostgresClient } from '../../postgres/client.ts'
import { quoteName } from '../../sql/name.ts'
import { type FoundColumn, type FoundTable, findTable } from './catalogue.ts'
import type { Shape, ShapeColumn } from './shape.ts'
import type { ValueKind, ValueLimits } from './value.ts'

/** Where a table is to be, and what may be done for it. */
export interface Place {
  /** The server and database, for errors. */
  readonly sink: string
  readonly schema: string
  /** Whether a table that is missing is made. */
  readonly create: boolean
  /** Whether columns that are missing are added. */
  readonly extend: boolean
}

/** A column of a table that is there, with how values are stored in it. */
export interface TableColumn {
  readonly name: string
  readonly kind: ValueKind
  readonly limits: ValueLimits
}

/** A table that is there and takes the rows of a shape. */
export interface Table {
  /** Schema and name as SQL. */
  readonly sql: string
  readonly shape: Shape
  readonly columns: readonly TableColumn[]
  /** Changes whenever something about the table does that matters to rows. */
  readonly fingerprint: string
}

const DECLARED: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: 'bigint',
  real: 'double precision',
  decimal: 'numeric',
  boolean: 'boolean',
  time: 'timestamp with time zone',
  json: 'jsonb',
  bytes: 'bytea',
}

const TEXTS = ['text', 'varchar', 'citext']

/** The server's types that hold a column's values exactly. */
const KINDS: Readonly<Record<ColumnType, Readonly<Record<string, ValueKind>>>> = {
  text: { text: 'text', varchar: 'text', citext: 'text', uuid: 'uuid' },
  integer: { int2: 'int16', int4: 'int32', int8: 'int64', float8: 'whole-double', numeric: 'whole-numeric' },
  real: { float8: 'double', numeric: 'numeric' },
  decimal: { numeric: 'numeric' },
  boolean: { bool: 'boolean' },
  time: { timestamptz: 'time', int8: 'epoch' },
  json: { json: 'json', jsonb: 'jsonb' },
  bytes: { bytea: 'bytes' },
}

/**
 * Makes a table, or takes the one that is there if it has all of the columns, each of a type that changes nothing. To be
 * called inside a transaction.
 *
 * @throws {SluiceError} SINK_MISMATCH, naming the columns that are missing or do not fit
 */
export async function ensureTable(client: PostgresClient, place: Place, shape: Shape): Promise<Table> {
  const found = await findTable(client, place.schema, shape.table)
  if (found !== undefined && !(place.extend && missingOf(shape, found).length > 0)) return adopt(place, shape, found)
  await lockSchemas(client)
  const now = await findTable(client, place.schema, shape.table)
  if (now === undefined) {
    if (!place.create) throw unfit(place, shape.table, 'there is no such table')
    await client.query(createTable(place.schema, shape))
  } else if (place.extend) {
    for (const { name, type } of missingOf(shape, now)) {
      await client.query(`alter table ${sqlName(place.schema, shape.table)} add ${quoteName(name)} ${DECLARED[type]}`)
    }
  }
  return adopt(place, shape, (await findTable(client, place.schema, shape.table)) ?? now)
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

function missingOf(shape: Shape, found: FoundTable): readonly ShapeColumn[] {
  const names = new Set(found.columns.map(({ name }) => name))
  return shape.columns.filter(({ name }) => !names.has(name))
}

function adopt(place: Place, shape: Shape, found: FoundTable | undefined): Table {
  const { table, key } = shape
  if (found === undefined) throw unfit(place, table, 'it is gone')
  if (found.kind !== 'r' && found.kind !== 'p') throw unfit(place, table, 'it is no table, but a view or the like')
  if (found.persistence === 'u') throw unfit(place, table, 'it is unlogged: a crash of the server would empty it')
  const missing = missingOf(shape, found).map(({ name }) => name)
  if (missing.length > 0) throw unfit(place, table, `it has no column ${missing.join(', ')}`)
  const there = new Map(found.columns.map((column) => [column.name, column]))
  const columns = shape.columns.map((column) => adoptColumn(place, table, column, there.get(column.name)))
  if (key !== undefined && !found.keys.some((names) => isSame(names, key))) {
    throw unfit(place, table, `it has no primary key or unique index of ${key.join(', ')} and nothing else`)
  }
  return { sql: sqlName(place.schema, table), shape, columns, fingerprint: JSON.stringify(found) }
}

function adoptColumn(
  place: Place,
  table: string,
  { name, type }: ShapeColumn,
  found: FoundColumn | undefined,
): TableColumn {
  if (found === undefined) throw unfit(place, table, `it has no column ${name}`)
  if (found.isGenerated) throw unfit(place, table, `its column ${name} is generated by the server alone`)
  const kind = found.isEnum && type === 'text' ? 'text' : KINDS[type][found.type]
  if (kind !== undefined) return { name, kind, limits: limitsOf(found) }
  throw unfit(place, table, `its column ${name} is ${found.declared}, rows have ${type} for it`)
}

/** What a type was made with, as the server packs it. */
function limitsOf({ type, modifier }: FoundColumn): ValueLimits {
  if (modifier < 4) return {}
  if (TEXTS.includes(type)) return { maxChars: modifier - 4 }
  if (type !== 'numeric') return {}
  const precision = ((modifier - 4) >> 16) & 0xffff
  // Eleven bits with a sign: a scale below zero rounds before the point.
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024
  return scale < 0 ? { maxWhole: 0, maxFraction: 0 } : { maxWhole: precision - scale, maxFraction: scale }
}

function createTable(schema: string, { table, columns, key }: Shape): string {
  const lines = columns.map(({ name, type }) => {
    return `${quoteName(name)} ${DECLARED[type]}${key?.includes(name) === true ? ' not null' : ''}`
  })
  if (key !== undefined) lines.push(`primary key (${key.map(quoteName).join(', ')})`)
  return `create table ${sqlName(schema, table)} (${lines.join(', ')})`
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(b)
  return names.size === a.length && a.every((name) => names.has(name))
}

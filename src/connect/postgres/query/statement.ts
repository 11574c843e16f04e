// The SQL that reads a query from a position.

import type { Columns } from '../../column.ts'
import { type LookBack, unfitLookBack } from '../../kits/rows/look-back.ts'
import type { Stood } from '../../kits/rows/stood.ts'
import type { ValueChoices } from '../../kits/rows/times.ts'
import { quoteName } from '../../kits/sql/name.ts'
import type { SqlDialect } from '../../kits/sql/query.ts'
import { nullInCursor, type QueryToRead, rowsOf } from '../../kits/sql/query-source.ts'
import type { PostgresClient } from '../client.ts'
import type { PostgresConnection } from '../connection.ts'
import type { Statement } from './feed.ts'
import { columnTypeOf, OID } from './parse.ts'

const SQL: SqlDialect = { nestsComments: true, hasDollars: true }
const WHOLE: readonly number[] = [OID.int2, OID.int4, OID.int8]
const NUMBERS: readonly number[] = [...WHOLE, OID.float4, OID.float8, OID.numeric]
const MOMENTS: readonly number[] = [OID.date, OID.timestamp, OID.timestamptz]
const TEXTS: readonly number[] = [OID.text, OID.varchar]
/** Types of which equal values have the same text. */
const WRITTEN_ALIKE: readonly number[] = [
  ...WHOLE,
  ...MOMENTS,
  OID.oid,
  OID.uuid,
  OID.bool,
  OID.bytea,
  OID.name,
  OID.char,
]

/** A query to read, with everything that its options say. */
export interface QueryOpening extends QueryToRead {
  readonly connection: string | PostgresConnection
  /** The server and database, for errors: never with a password. */
  readonly server: string
  readonly columns: Columns | undefined
  readonly choices: ValueChoices
  readonly fetch: number
  readonly timeoutMs: number
}

/** A type of the cursor. */
interface KeyType {
  readonly oid: number
  readonly name: string
}

export async function statementOf(client: PostgresClient, opening: QueryOpening, from: Stood): Promise<Statement> {
  const { cursor, columns, lookBack, source } = opening
  const chosen = chosenOf(columns)
  const rows = rowsOf(opening, SQL)
  if (cursor.length === 0) {
    const sql = `select ${chosen} from ${rows} as q`
    const none = { keys: 0, hasSide: false, hasTies: false }
    if (from.rows === 0) return { sql, values: [], ...none }
    return { sql: `${sql} offset $1`, values: [String(from.rows - 1)], ...none }
  }
  await checkCursor(client, opening)
  const keys = cursor.map((name) => `q.${quoteName(name)}`)
  const types = await keyTypes(client, keys, rows)
  const hasTies = !(await areWrittenAlike(client, types))
  const after = (from.after ?? []) as readonly string[]
  const all = `(${keys.join(', ')})`
  const marks = `(${keys.map((_, i) => `$${i + 1}`).join(', ')})`
  const selected = [chosen, ...keys.map((key) => `${key}::text`)]
  if (after.length > 0) selected.push(`case when ${all} > ${marks} then 1 when ${all} = ${marks} then 0 else -1 end`)
  const order = `order by ${keys.join(', ')}`
  if (hasTies) {
    const tied = keys.map((key) => `${key} = lag(${key}) over (${order})`)
    selected.push(tied.join(' and '))
  }
  let where = after.length === 0 ? '' : ` where ${all} >= ${marks}`
  if (lookBack !== undefined) {
    const bound = boundOf(lookBack, types[0] as KeyType, source, cursor[0] as string)
    if (after.length > 0) where = ` where ${keys[0]} >= ${bound}`
  }
  const sql = `select ${selected.join(', ')} from ${rows} as q${where} ${order}`
  return { sql, values: after, keys: keys.length, hasSide: after.length > 0, hasTies }
}

/** The columns read, with the types of their values. */
export async function columnsOf(client: PostgresClient, opening: QueryOpening): Promise<Columns> {
  const { columns, choices } = opening
  const { fields } = await client.query(`select ${chosenOf(columns)} from ${rowsOf(opening, SQL)} as q limit 0`)
  const types = fields.map(({ name, dataTypeID: oid, dataTypeModifier: modifier }) => {
    return [name, columnTypeOf({ oid, modifier }, columns?.[name], choices)] as const
  })
  return Object.fromEntries(types)
}

function chosenOf(columns: Columns | undefined): string {
  if (columns === undefined) return 'q.*'
  return Object.keys(columns)
    .map((name) => `q.${quoteName(name)}`)
    .join(', ')
}

/** Where rows are read again from, by the first column of the cursor. */
function boundOf(lookBack: LookBack, { oid, name }: KeyType, source: string, cursor: string): string {
  if (lookBack.kind === 'time') {
    if (!MOMENTS.includes(oid)) throw unfitLookBack(source, cursor, lookBack, name)
    return `($1::${name} - interval '${lookBack.ms} milliseconds')`
  }
  if (!NUMBERS.includes(oid)) throw unfitLookBack(source, cursor, lookBack, name)
  if (WHOLE.includes(oid)) return `($1::int8 - ${Math.ceil(lookBack.by)}::int8)`
  return `($1::${name} - ${lookBack.by}::${name})`
}

async function keyTypes(client: PostgresClient, keys: readonly string[], rows: string): Promise<readonly KeyType[]> {
  const { fields } = await client.query(`select ${keys.join(', ')} from ${rows} as q limit 0`)
  const names = fields.map(({ dataTypeID }) => `format_type(${dataTypeID}, null)`)
  const { rows: found } = await client.query(`select array[${names.join(', ')}]::text[] as names`)
  const given = (found[0] as { readonly names: readonly string[] }).names
  return fields.map(({ dataTypeID }, i) => ({ oid: dataTypeID, name: given[i] as string }))
}

/**
 * Whether equal values of these types have equal texts: `1.0` and `1.00` are equal, and so are texts in some
 * collations.
 */
async function areWrittenAlike(client: PostgresClient, types: readonly KeyType[]): Promise<boolean> {
  if (types.every(({ oid }) => WRITTEN_ALIKE.includes(oid))) return true
  if (!types.every(({ oid }) => WRITTEN_ALIKE.includes(oid) || TEXTS.includes(oid))) return false
  const loose = `select 1 from pg_collation as c where to_jsonb(c) ->> 'collisdeterministic' = 'false' limit 1`
  return (await client.query(loose)).rows.length === 0
}

/** A row without a value for the cursor would never be read. */
async function checkCursor(client: PostgresClient, opening: QueryOpening): Promise<void> {
  const isNull = opening.cursor.map((name) => `q.${quoteName(name)} is null`).join(' or ')
  const { rows } = await client.query(`select 1 from ${rowsOf(opening, SQL)} as q where ${isNull} limit 1`)
  if (rows.length > 0) throw nullInCursor(opening)
}

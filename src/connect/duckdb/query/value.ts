// Values of DuckDB as values of JavaScript, by the type of their column.

import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { ColumnType } from '../../column.ts'
import { columnOfTimes, momentOf, plainWhole, type Times, type ValueChoices } from '../../kits/rows/times.ts'
import { define, jsonOf } from '../../kits/rows/values.ts'
import type { Duckdb } from '../client.ts'

/** Returns a value. Throws Unfit for one that cannot be represented. */
export type Decode = (value: DuckDBValue) => unknown

/** The types of DuckDB by what becomes of their values, and the type of a column that a table has for them. */
const TYPES = {
  boolean: { column: 'boolean', names: ['BOOLEAN'] },
  integer: {
    column: 'integer',
    names: ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER'],
  },
  long: { column: 'decimal', names: ['UBIGINT', 'HUGEINT'] },
  longer: { column: 'decimal', names: ['UHUGEINT', 'BIGNUM'] },
  decimal: { column: 'decimal', names: ['DECIMAL'] },
  real: { column: 'real', names: ['FLOAT', 'DOUBLE'] },
  text: { column: 'text', names: ['VARCHAR', 'ENUM', 'SQLNULL'] },
  bytes: { column: 'bytes', names: ['BLOB'] },
  day: { column: 'text', names: ['DATE'] },
  moment: { column: 'time', names: ['TIMESTAMP', 'TIMESTAMP_TZ', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS'] },
  list: { column: 'json', names: ['LIST', 'ARRAY'] },
  struct: { column: 'json', names: ['STRUCT'] },
  map: { column: 'json', names: ['MAP'] },
  json: { column: 'json', names: [] },
  other: { column: 'text', names: [] },
} as const

export function kindOf({ DuckDBTypeId }: Duckdb, { alias, typeId }: DuckDBType): keyof typeof TYPES {
  if (alias === 'JSON') return 'json'
  const kinds = Object.keys(TYPES) as (keyof typeof TYPES)[]
  return kinds.find((kind) => TYPES[kind].names.some((name) => DuckDBTypeId[name] === typeId)) ?? 'other'
}

/** Makes the converter of a column's values; null stays null. */
export function decoderOf(duckdb: Duckdb, type: DuckDBType, choices: ValueChoices): Decode {
  const decode = decoder(duckdb, type, choices)
  return (value) => (value === null || value === undefined ? null : decode(value))
}

function decoder(duckdb: Duckdb, type: DuckDBType, choices: ValueChoices): Decode {
  switch (kindOf(duckdb, type)) {
    case 'json': {
      const parse = jsonOf(choices.bigints)
      return (value) => parse(String(value))
    }
    case 'boolean':
    case 'real':
    case 'text':
      return (value) => value
    case 'integer':
    case 'long':
    case 'longer':
      return (value) => (typeof value === 'bigint' ? plainWhole(value) : value)
    case 'moment':
      return momentDecoder(duckdb, type, choices)
    case 'bytes':
      return (value) => Uint8Array.from((value as unknown as { readonly bytes: Uint8Array }).bytes)
    case 'list': {
      const item = decoderOf(duckdb, (type as unknown as { readonly valueType: DuckDBType }).valueType, choices)
      return (value) => (value as unknown as { readonly items: readonly DuckDBValue[] }).items.map(item)
    }
    case 'struct':
      return structDecoder(duckdb, type as unknown as StructType, choices)
    case 'map': {
      const { keyType, valueType } = type as unknown as { readonly keyType: DuckDBType; readonly valueType: DuckDBType }
      const [key, item] = [decoderOf(duckdb, keyType, choices), decoderOf(duckdb, valueType, choices)]
      return (value) => {
        const { entries } = value as unknown as {
          readonly entries: readonly { key: DuckDBValue; value: DuckDBValue }[]
        }
        return entries.map((entry) => ({ key: key(entry.key), value: item(entry.value) }))
      }
    }
    default:
      return String
  }
}

interface StructType {
  readonly entryNames: readonly string[]
  readonly entryTypes: readonly DuckDBType[]
}

function structDecoder(duckdb: Duckdb, { entryNames, entryTypes }: StructType, choices: ValueChoices): Decode {
  const decoders = entryTypes.map((type) => decoderOf(duckdb, type, choices))
  return (value) => {
    const { entries } = value as unknown as { readonly entries: Readonly<Record<string, DuckDBValue>> }
    const struct: Record<string, unknown> = {}
    for (const [at, name] of entryNames.entries()) define(struct, name, decoders[at]?.(entries[name] ?? null))
    return struct
  }
}

/** The units per second of a type of timestamps, and what its values keep them in. */
type Unit = readonly [perSecond: bigint, field: 'seconds' | 'millis' | 'micros' | 'nanos']

function unitOf({ DuckDBTypeId: id }: Duckdb, { typeId }: DuckDBType): Unit {
  if (typeId === id.TIMESTAMP_S) return [1n, 'seconds']
  if (typeId === id.TIMESTAMP_MS) return [1000n, 'millis']
  return typeId === id.TIMESTAMP_NS ? [1_000_000_000n, 'nanos'] : [1_000_000n, 'micros']
}

function timesOf(duckdb: Duckdb, type: DuckDBType, { times }: ValueChoices): Times {
  const [perSecond] = unitOf(duckdb, type)
  return times ?? (perSecond <= 1000n ? 'ms' : 'text')
}

/** The largest 64-bit number stands for infinity. */
const ENDLESS = 2n ** 63n - 1n

function momentDecoder(duckdb: Duckdb, type: DuckDBType, choices: ValueChoices): Decode {
  const [perSecond, field] = unitOf(duckdb, type)
  const times = timesOf(duckdb, type, choices)
  const hasZone = type.typeId === duckdb.DuckDBTypeId.TIMESTAMP_TZ
  const nanosEach = 1_000_000_000n / perSecond
  return (value) => {
    const units = (value as unknown as Readonly<Record<string, bigint>>)[field] as bigint
    if (units === ENDLESS || units === -ENDLESS) {
      const shown = units < 0n ? '-infinity' : 'infinity'
      return times === 'text' ? shown : momentOf(times, Number.POSITIVE_INFINITY, 0, shown)
    }
    const nanos = units * nanosEach
    const restNs = ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n
    const ms = Number((nanos - restNs) / 1_000_000n)
    return times === 'text' ? textOf(value, ms, restNs, hasZone) : momentOf(times, ms, Number(restNs), String(value))
  }
}

/** As DuckDB writes it; with a zone as ISO 8601 in UTC, if that can represent it. */
function textOf(value: DuckDBValue, ms: number, restNs: bigint, hasZone: boolean): string {
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) return String(value)
  const [day, time = ''] = date.toISOString().split('T')
  const digits = `${time.slice(9, 12)}${String(restNs).padStart(6, '0')}`.replace(/0+$/, '')
  const clock = `${time.slice(0, 8)}${digits === '' ? '' : `.${digits}`}`
  return hasZone ? `${day}T${clock}Z` : `${day} ${clock}`
}

/** The type of a column's values, to create a table for them. */
export function columnTypeOf(duckdb: Duckdb, type: DuckDBType, choices: ValueChoices): ColumnType {
  const kind = kindOf(duckdb, type)
  if (kind !== 'moment') return TYPES[kind].column
  return columnOfTimes(timesOf(duckdb, type, choices))
}

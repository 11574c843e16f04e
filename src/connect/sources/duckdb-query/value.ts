// Values of DuckDB to values of JavaScript, by the type of their column.

import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { messageOf } from '../../../base/errors.ts'
import type { Duckdb } from '../../duckdb/engine.ts'

export type Decode = (value: DuckDBValue) => unknown

/** Makes what gives the values of a column; null stays null. */
export function decoderOf(duckdb: Duckdb, type: DuckDBType): Decode {
  const decode = decoder(duckdb, type)
  return (value) => (value === null || value === undefined ? null : decode(value))
}

function decoder(duckdb: Duckdb, type: DuckDBType): Decode {
  if (type.alias === 'JSON') return parsed
  const { DuckDBTypeId: id } = duckdb
  switch (type.typeId) {
    case id.BOOLEAN:
    case id.TINYINT:
    case id.SMALLINT:
    case id.INTEGER:
    case id.UTINYINT:
    case id.USMALLINT:
    case id.UINTEGER:
    case id.FLOAT:
    case id.DOUBLE:
    case id.VARCHAR:
    case id.ENUM:
    case id.SQLNULL:
      return (value) => value
    case id.BIGINT:
    case id.UBIGINT:
    case id.HUGEINT:
    case id.UHUGEINT:
    case id.BIGNUM:
      return plainWhole
    case id.TIMESTAMP:
    case id.TIMESTAMP_TZ:
      return (value) => milliseconds((value as unknown as { readonly micros: bigint }).micros, 1000n)
    case id.TIMESTAMP_S:
      return (value) => milliseconds((value as unknown as { readonly seconds: bigint }).seconds, 1n) * 1000
    case id.TIMESTAMP_MS:
      return (value) => milliseconds((value as unknown as { readonly millis: bigint }).millis, 1n)
    case id.TIMESTAMP_NS:
      return (value) => milliseconds((value as unknown as { readonly nanos: bigint }).nanos, 1_000_000n)
    case id.BLOB:
      return (value) => Uint8Array.from((value as unknown as { readonly bytes: Uint8Array }).bytes)
    case id.LIST:
    case id.ARRAY: {
      const item = decoderOf(duckdb, (type as unknown as { readonly valueType: DuckDBType }).valueType)
      return (value) => (value as unknown as { readonly items: readonly DuckDBValue[] }).items.map(item)
    }
    case id.STRUCT:
      return structDecoder(duckdb, type as unknown as StructType)
    case id.MAP: {
      const { keyType, valueType } = type as unknown as { readonly keyType: DuckDBType; readonly valueType: DuckDBType }
      const [key, item] = [decoderOf(duckdb, keyType), decoderOf(duckdb, valueType)]
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

function structDecoder(duckdb: Duckdb, { entryNames, entryTypes }: StructType): Decode {
  const decoders = entryTypes.map((type) => decoderOf(duckdb, type))
  return (value) => {
    const { entries } = value as unknown as { readonly entries: Readonly<Record<string, DuckDBValue>> }
    const struct: Record<string, unknown> = {}
    for (const [at, name] of entryNames.entries()) define(struct, name, decoders[at]?.(entries[name] ?? null))
    return struct
  }
}

/** Sets a field, also one whose name every object inherits. */
export function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  else object[name] = value
}

function plainWhole(value: DuckDBValue): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** The largest number of 64 bits stands for a time without an end. */
const ENDLESS = 2n ** 63n - 1n

function milliseconds(units: bigint, perMillisecond: bigint): number {
  if (units === ENDLESS) return Number.POSITIVE_INFINITY
  if (units === -ENDLESS) return Number.NEGATIVE_INFINITY
  const floor = units / perMillisecond - (units % perMillisecond < 0n ? 1n : 0n)
  return Number(floor)
}

function parsed(value: DuckDBValue): unknown {
  try {
    return JSON.parse(String(value))
  } catch (error) {
    throw new Error(`a value of type JSON is none: ${messageOf(error)}`, { cause: error })
  }
}

// Writes rows as a Parquet file, through hyparquet-writer.

import type { SchemaElement } from 'hyparquet-writer'
import type { Columns, ColumnType } from '../../column.ts'
import { parseDecimal } from '../../kits/decimal.ts'
import { jsonText } from '../../kits/json/line.ts'
import { loadPackage } from '../../kits/package.ts'

/** Gathers rows and writes them as one Parquet file. */
export interface ParquetEncoder {
  /**
   * Takes a row's values, in the order of the columns and of their types. Returns about how many bytes it holds of
   * them, or throws if it does not take them: nothing of the row is kept then.
   */
  add(values: readonly unknown[]): number
  finish(): Uint8Array
}

/** Digits of a decimal in a file, and those after the point by default. */
const PRECISION = 38
const DEFAULT_SCALE = 9
/** The size of such a decimal in bytes. */
const DECIMAL_BYTES = 16

/** The approximate memory of a number. */
const VALUE_BYTES = 16

/**
 * An encoder for rows of the given columns.
 *
 * @param scales - digits after the point by `decimal` column, 9 by default
 * @throws {SluiceError} CONFIG_INVALID if hyparquet-writer is not installed
 */
export async function parquetEncoder(
  columns: Columns,
  scales: Readonly<Record<string, number>> = {},
): Promise<ParquetEncoder> {
  const { parquetWriteBuffer } = await loadPackage('hyparquet-writer', () => import('hyparquet-writer'))
  const gathered = Object.entries(columns).map(([name, type]) => {
    const scale = Object.hasOwn(scales, name) ? (scales[name] as number) : DEFAULT_SCALE
    return {
      name,
      data: [] as unknown[],
      element: elementOf(name, type, scale),
      convert: converterOf(name, type, scale),
    }
  })
  return {
    add: (values) => {
      const stored = gathered.map(({ convert }, at) => (values[at] === null ? null : convert(values[at])))
      let bytes = 0
      for (const [at, value] of stored.entries()) {
        gathered[at]?.data.push(value)
        bytes += VALUE_BYTES
        if (typeof value === 'string' || value instanceof Uint8Array || value instanceof JsonValue)
          bytes += value.length
      }
      return bytes
    },
    finish: () => {
      const schema: SchemaElement[] = [
        { name: 'root', num_children: gathered.length },
        ...gathered.map(({ element }) => element),
      ]
      const columnData = gathered.map(({ name, data }) => ({ name, data }))
      return new Uint8Array(parquetWriteBuffer({ columnData, schema }))
    },
  }
}

function elementOf(name: string, type: ColumnType, scale: number): SchemaElement {
  const common = { name, repetition_type: 'OPTIONAL' } as const
  switch (type) {
    case 'text':
      return { ...common, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
    case 'integer':
      return { ...common, type: 'INT64' }
    case 'real':
      return { ...common, type: 'DOUBLE' }
    case 'boolean':
      return { ...common, type: 'BOOLEAN' }
    case 'time': {
      const logical = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } as const
      return { ...common, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', logical_type: logical }
    }
    case 'decimal': {
      const digits = { scale, precision: PRECISION }
      const logical = { type: 'DECIMAL', ...digits } as const
      const stored = { type: 'FIXED_LEN_BYTE_ARRAY', type_length: DECIMAL_BYTES, converted_type: 'DECIMAL' } as const
      return { ...common, ...stored, ...digits, logical_type: logical }
    }
    case 'json':
      return { ...common, type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } }
    case 'bytes':
      return { ...common, type: 'BYTE_ARRAY' }
  }
}

function converterOf(name: string, type: ColumnType, scale: number): (value: unknown) => unknown {
  switch (type) {
    case 'integer':
      return (value) => BigInt(value as number | bigint)
    case 'time':
      return (value) => BigInt(value instanceof Date ? value.getTime() : (value as number))
    case 'json':
      return (value) => new JsonValue(jsonText(value))
    case 'decimal':
      return (value) => unscaled(name, value as string, scale)
    default:
      return (value) => value
  }
}

/**
 * Values that the writer serializes as JSON. It copies objects and rounds the bigints in them; it does not touch one
 * without Object's prototype, and JSON.stringify then asks it.
 */
class JsonValue {
  readonly #text: string

  static {
    Object.setPrototypeOf(JsonValue.prototype, null)
  }

  constructor(text: string) {
    this.#text = text
  }

  get length(): number {
    return this.#text.length
  }

  toJSON(): unknown {
    return JSON.parse(this.#text, asWritten)
  }
}

/** Integers keep their digits. */
function asWritten(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context?.source ?? String(value))
}

/** A decimal without its point; throws if it has more digits than the column. */
function unscaled(name: string, value: string, scale: number): bigint {
  const { isNegative, whole, fraction } = parseDecimal(value)
  const kept = fraction.replace(/0+$/, '').padEnd(scale, '0')
  if (kept.length > scale || whole.length > PRECISION - scale) {
    const digits = `${PRECISION - scale} digits before the point and ${scale} after it`
    throw new TypeError(`column ${name.slice(0, 60)} has ${digits} (scales): found ${value.slice(0, 60)}`)
  }
  const digits = BigInt(`${whole}${kept}` || '0')
  return isNegative ? -digits : digits
}

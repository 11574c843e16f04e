// Columns of files: inferred from rows if they are not named, and what a row may have in them.

import { describeValue } from '../../../base/check.ts'
import { unreachable } from '../../../base/invariant.ts'
import type { Columns, ColumnType } from '../../column.ts'
import { decimalText } from '../../kits/decimal.ts'
import { faultOfType, TYPE_WORDS } from '../../kits/sql/codec.ts'
import { millisOf, realOf, wholeOf } from '../../kits/sql/exact.ts'
import { inferColumns, typeOfValue } from '../../kits/sql/infer.ts'
import { jsonOf } from '../../kits/sql/text-of.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * The columns of the first rows; undefined while none of them has any. A column of several types is `json`, one without
 * a value `text`.
 *
 * @param options.findsFloats - whether integers are `real`, unless there are bigints among them
 * @param options.types - the types of some columns, which rule over what values look like
 */
export function columnsOfRows(
  rows: readonly unknown[],
  { findsFloats, types = {} }: { readonly findsFloats: boolean; readonly types?: Columns | undefined },
): Columns | undefined {
  const inferred = inferColumns(rows)
  if (inferred.size === 0) return undefined
  const columns: [string, ColumnType][] = []
  for (const [name, type] of inferred) {
    const hasValue = rows.some((row) => Object.hasOwn(Object(row), name) && (row as Row)[name] != null)
    const isFloat = findsFloats && type === 'integer' && !rows.some((row) => isBigInt(row, name))
    const known = Object.hasOwn(types, name) ? types[name] : undefined
    if (known !== undefined) columns.push([name, known])
    else if (isFloat) columns.push([name, 'real'])
    else columns.push([name, type === 'mixed' || (type === undefined && hasValue) ? 'json' : (type ?? 'text')])
  }
  return Object.fromEntries(columns)
}

function isBigInt(row: unknown, name: string): boolean {
  return Object.hasOwn(Object(row), name) && typeof (row as Row)[name] === 'bigint'
}

/**
 * Where columns come from: `named` ones ignore the rest of a row; `found` ones are all that a row may have; for
 * `found-names` only the names count, and a value may have any type.
 */
export type ColumnOrigin = 'named' | 'found' | 'found-names'

/** Reads rows by their columns. */
export class RowReader {
  readonly names: readonly string[]
  readonly #types: readonly ColumnType[]
  readonly #known: ReadonlySet<string>
  readonly #origin: ColumnOrigin

  constructor(columns: Columns, origin: ColumnOrigin) {
    this.names = Object.keys(columns)
    this.#types = Object.values(columns)
    this.#known = new Set(this.names)
    this.#origin = origin
  }

  /** The values of a row in the order of the columns; throws the reason if it is rejected. */
  read(row: unknown): unknown[] {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new TypeError(`a row must be an object: found ${describeValue(row)}`)
    }
    if (this.#origin !== 'named') {
      const stranger = Object.keys(row).find((name) => !this.#known.has(name))
      if (stranger !== undefined) {
        throw new TypeError(`no column ${stranger.slice(0, 60)}: they were inferred from the first rows, name them all`)
      }
    }
    const values: unknown[] = []
    let present = 0
    for (const [at, name] of this.names.entries()) {
      const value = Object.hasOwn(row, name) ? (row as Row)[name] : undefined
      if (value !== undefined) present += 1
      values.push(this.#checked(name, this.#types[at] as ColumnType, value ?? null))
    }
    if (present === 0) throw new TypeError('a row must have columns: found none of them')
    return values
  }

  #checked(name: string, type: ColumnType, value: unknown): unknown {
    if (value === null) return null
    const own = this.#origin === 'found-names' ? typeOfValue(value) : undefined
    const checked = exactly(own === 'long' ? 'integer' : (own ?? type), value)
    if (checked === undefined) throw new TypeError(faultOfType(name, type, value, TYPE_WORDS[type]))
    return own === undefined ? checked : value
  }
}

/** A value of this type, or undefined if it does not fit. */
function exactly(type: ColumnType, value: unknown): unknown {
  switch (type) {
    case 'text':
      return typeof value === 'string' && value.isWellFormed() ? value : undefined
    case 'integer': {
      if (typeof value === 'string') return undefined
      const whole = wholeOf(value)
      return whole === undefined || BigInt.asIntN(64, BigInt(whole)) === BigInt(whole) ? whole : undefined
    }
    case 'real': {
      if (typeof value === 'string') return undefined
      const number = realOf(value)
      return Number.isFinite(number) ? number : undefined
    }
    case 'decimal':
      return decimalText(value)
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'time':
      return millisOf(value)
    case 'json':
      return jsonOf(value) === undefined ? undefined : value
    case 'bytes':
      return value instanceof Uint8Array ? value : undefined
    default:
      return unreachable(type)
  }
}

// Converts JavaScript values to SQLite, by the type of their column: exactly, or not at all.

import { unreachable } from '../../../base/invariant.ts'
import type { ColumnType } from '../../column.ts'
import { decimalText, isDecimal } from '../../kits/decimal.ts'
import { faultOfType, isJson, TYPE_WORDS, WHOLE } from '../../kits/sql/codec.ts'
import { isStorable, millisOf, realOf, wholeOf } from '../../kits/sql/exact.ts'
import { jsonOf, textOf } from '../../kits/sql/text-of.ts'

export type SqliteValue = null | number | bigint | string | Uint8Array

/**
 * What a column takes: its declared type; or, by how SQLite itself converts values in it,
 *
 * - `any`: it changes nothing
 * - `whole`: it converts what looks like an integer
 * - `number`: it converts what looks like a number
 * - `loose`: the same, and texts that do not look like one are unchanged
 * - `float`: it converts every number to floating point
 * - `words`: it converts numbers to text
 * - `any-text`: the same, and rows bring values of several types for it, which are text there
 * - `with-nul`: text, which may contain a NUL
 */
export type ValueKind = ColumnType | 'with-nul' | 'any' | 'whole' | 'number' | 'loose' | 'float' | 'words' | 'any-text'

/** Instead of a value that a column does not take; {@link faultOfValue} says why. */
export const REFUSED: unique symbol = Symbol('refused')

type Stored = SqliteValue | typeof REFUSED

/** What SQLite takes for a number when it looks for one. */
const LIKE_NUMBER = /^[\s\0]*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[\s\0]*$/i

/** The value to bind for `value`: null for null and undefined, `REFUSED` for what would not come back unchanged. */
export function toSqlite(kind: ValueKind, value: unknown): Stored {
  if (value === null || value === undefined) return null
  switch (kind) {
    case 'text':
      return typeof value === 'string' && isStorable(value) ? value : REFUSED
    case 'with-nul':
      return typeof value === 'string' && value.isWellFormed() ? value : REFUSED
    case 'integer':
      return typeof value === 'string' ? REFUSED : inRange(wholeOf(value))
    case 'real':
      return typeof value === 'string' ? REFUSED : floatOf(value)
    case 'float':
      return floatOf(value)
    case 'decimal':
      return decimalText(value) ?? REFUSED
    case 'boolean':
      return typeof value === 'boolean' ? Number(value) : REFUSED
    case 'time':
      return millisOf(value) ?? REFUSED
    case 'json':
      return jsonOf(value) ?? REFUSED
    case 'bytes':
      return value instanceof Uint8Array ? value : REFUSED
    case 'whole':
      return typeof value === 'boolean' || value instanceof Date ? anyOf(value) : inRange(wholeOf(value))
    case 'number':
      return numberOf(value)
    case 'loose':
      return looseOf(value)
    case 'words':
      return typeof value === 'string' || isJson(value) ? anyOf(value) : REFUSED
    case 'any-text':
      return textOf(value) ?? REFUSED
    case 'any':
      return anyOf(value)
    default:
      return unreachable(kind)
  }
}

/** Why a column of `kind` does not take `value`, for people. */
export function faultOfValue(column: string, kind: ValueKind, value: unknown): string {
  return faultOfType(column, kind, value, WORDS[kind])
}

const WORDS: Readonly<Record<ValueKind, string>> = {
  'with-nul': 'text',
  ...TYPE_WORDS,
  any: 'text, numbers, bigints that fit into 64 bits, booleans, dates, bytes and what JSON can hold',
  whole: `${WHOLE}, booleans and dates`,
  number: 'numbers that 64 bits hold exactly',
  loose: 'numbers that 64 bits hold exactly, and text that SQLite does not take for a number',
  float: TYPE_WORDS.real,
  words: 'text and what JSON can hold',
  'any-text': 'text, and values that have a text form',
}

function inRange(value: number | bigint | undefined): Stored {
  if (value === undefined) return REFUSED
  return typeof value === 'number' || BigInt.asIntN(64, value) === value ? value : REFUSED
}

/**
 * NaN is null to SQLite. It stores integral values as integers in such a column: zero has no sign there, and equals
 * both.
 */
function floatOf(value: unknown): Stored {
  const number = realOf(value)
  return number === undefined || Number.isNaN(number) ? REFUSED : number
}

function numberOf(value: unknown): Stored {
  const whole = typeof value === 'number' ? undefined : wholeOf(value)
  return whole === undefined ? floatOf(value) : inRange(whole)
}

function looseOf(value: unknown): Stored {
  if (typeof value === 'number' || typeof value === 'bigint') return numberOf(value)
  if (typeof value !== 'string' || !LIKE_NUMBER.test(value)) return value instanceof Uint8Array ? REFUSED : anyOf(value)
  return isDecimal(value) ? numberOf(value) : REFUSED
}

/** For a column in which SQLite converts nothing: integers are bound as such. */
function anyOf(value: unknown): Stored {
  switch (typeof value) {
    case 'string':
      return isStorable(value) ? value : REFUSED
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return BigInt(value)
      return Number.isNaN(value) ? REFUSED : value
    case 'bigint':
      return inRange(value)
    case 'boolean':
      return value ? 1n : 0n
    case 'object': {
      if (value instanceof Uint8Array) return value
      if (!(value instanceof Date)) return jsonOf(value) ?? REFUSED
      const ms = millisOf(value)
      return ms === undefined ? REFUSED : BigInt(ms)
    }
    default:
      return REFUSED
  }
}

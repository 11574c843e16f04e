// Values of JavaScript to values of SQLite, by what their column holds: exactly, or not at all.

import { describeValue } from '../../../base/check.ts'
import { messageOf } from '../../../base/errors.ts'
import { unreachable } from '../../../base/invariant.ts'
import type { ColumnType } from '../../column.ts'
import { decimalText } from '../../decimal.ts'

export type SqliteValue = null | number | bigint | string | Uint8Array

/**
 * What a column takes: the type that was named, or, where types were found out from the first rows, `number` for any
 * number and `any` for everything.
 */
export type ValueKind = ColumnType | 'number' | 'any'

/** In place of a value that a column does not take; {@link faultOfValue} says why. */
export const REFUSED: unique symbol = Symbol('refused')

const MIN_INTEGER = -(2n ** 63n)
const MAX_INTEGER = 2n ** 63n - 1n

/** The value to be bound for `value`: null for null and undefined, `REFUSED` for what would not come back the same. */
export function toSqlite(kind: ValueKind, value: unknown): SqliteValue | typeof REFUSED {
  if (value === null || value === undefined) return null
  switch (kind) {
    case 'text':
      return typeof value === 'string' && isStorable(value) ? value : REFUSED
    case 'integer':
      return typeof value === 'bigint' ? inRange(value) : Number.isSafeInteger(value) ? (value as number) : REFUSED
    case 'number':
      return typeof value === 'bigint' ? inRange(value) : Number.isFinite(value) ? (value as number) : REFUSED
    case 'real':
      return Number.isFinite(value) ? (value as number) : REFUSED
    case 'decimal':
      return decimalText(value) ?? REFUSED
    case 'boolean':
      return typeof value === 'boolean' ? Number(value) : REFUSED
    case 'time':
      return Number.isSafeInteger(value) ? (value as number) : value instanceof Date ? timeOf(value) : REFUSED
    case 'json':
      return jsonOf(value)
    case 'bytes':
      return value instanceof Uint8Array ? value : REFUSED
    case 'any':
      return anyOf(value)
    default:
      return unreachable(kind)
  }
}

/** Why a column of `kind` does not take `value`, for a person to read. */
export function faultOfValue(column: string, kind: ValueKind, value: unknown): string {
  const shown = describeValue(value)
  if (typeof value === 'string' && (kind === 'text' || kind === 'any')) {
    if (value.includes('\0')) return `column ${column} cannot hold the NUL in ${shown}`
    return `column ${column} cannot hold the half of a surrogate pair in ${shown}`
  }
  if (kind === 'json' || (kind === 'any' && typeof value === 'object')) {
    return `column ${column} cannot hold ${shown} as JSON${whyNoJson(value)}`
  }
  return `column ${column} takes ${WORDS[kind]}: found ${shown}`
}

const WORDS: Readonly<Record<ValueKind, string>> = {
  text: 'text',
  integer: 'whole numbers that are exact and fit into 64 bits',
  number: 'finite numbers, and bigints that fit into 64 bits',
  real: 'finite numbers',
  decimal: 'decimal numbers as strings of digits, bigints and finite numbers',
  boolean: 'true and false',
  time: 'epoch milliseconds and dates',
  json: 'what JSON can hold',
  bytes: 'bytes, as a Uint8Array',
  any: 'text, finite numbers, bigints that fit into 64 bits, booleans, dates and what JSON can hold',
}

/** A NUL would end the text for most readers, half of a surrogate pair has no UTF-8. */
function isStorable(text: string): boolean {
  return text.indexOf('\0') === -1 && text.isWellFormed()
}

function inRange(value: bigint): bigint | typeof REFUSED {
  return value >= MIN_INTEGER && value <= MAX_INTEGER ? value : REFUSED
}

function timeOf(date: Date): number | typeof REFUSED {
  const ms = date.getTime()
  return Number.isNaN(ms) ? REFUSED : ms
}

function jsonOf(value: unknown): string | typeof REFUSED {
  try {
    return JSON.stringify(value) ?? REFUSED
  } catch {
    // A bigint, a circle, too deep, or the value's own toJSON: the row is refused, and why is found out then.
    return REFUSED
  }
}

function whyNoJson(value: unknown): string {
  try {
    JSON.stringify(value)
    return ''
  } catch (error) {
    return `: ${messageOf(error).split('\n', 1)[0]}`
  }
}

/** For a column without a type nothing is converted by SQLite: whole numbers are bound as such. */
function anyOf(value: unknown): SqliteValue | typeof REFUSED {
  switch (typeof value) {
    case 'string':
      return isStorable(value) ? value : REFUSED
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : Number.isFinite(value) ? value : REFUSED
    case 'bigint':
      return inRange(value)
    case 'boolean':
      return value ? 1n : 0n
    case 'object': {
      const stored = value instanceof Date ? timeOf(value) : jsonOf(value)
      return typeof stored === 'number' ? BigInt(stored) : stored
    }
    default:
      return REFUSED
  }
}

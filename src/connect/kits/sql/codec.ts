// How values go into columns, as far as all databases agree.

import { describeValue } from '../../../base/check.ts'
import { messageOf } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import { jsonText } from '../json/line.ts'

/** How values go into a column. */
export interface ColumnCodec<Write> {
  readonly write: Write
  /** What the column takes, for people. */
  readonly words: string
  /** The type of columns that it resembles: what it may be widened from. Undefined if there is no such type. */
  readonly like: ColumnType | undefined
  /** Types that columns may be declared with. */
  readonly takes: readonly ColumnType[]
  /** Whether values are transferred as text, and only the database knows whether they come back unchanged. */
  readonly isCast: boolean
}

export interface CodecOptions {
  /** The declared type of the column, if any. */
  readonly named: ColumnType | undefined
  /** Whether a text column also takes values that have a text form. */
  readonly takesAnyText: boolean
}

export const DATES = 'epoch milliseconds, dates and ISO 8601'
export const JSON_WORDS = 'what JSON can hold'
/** Integers that 64-bit columns take. */
export const WHOLE = 'exact integers of 64 bits'

/** What columns take, by their type, unless something narrows it down. */
export const TYPE_WORDS: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: WHOLE,
  real: 'numbers that 64-bit floating point holds exactly',
  decimal: 'decimal numbers as strings of digits, bigints and finite numbers',
  boolean: 'true and false',
  time: 'epoch milliseconds, dates and ISO 8601 down to the millisecond',
  json: JSON_WORDS,
  bytes: 'bytes, as a Uint8Array',
}

/** Whether a column was declared numeric: then it is not meant for digits in a text. */
export function isForNumbers({ named }: CodecOptions): boolean {
  return named === 'integer' || named === 'real'
}

/** What an enum column takes. */
export function oneOf(labels: readonly string[]): string {
  return `one of ${labels.length > 10 ? `${labels.slice(0, 10).join(', ')} …` : labels.join(', ')}`
}

export function decimalsOf(whole: number, fraction: number): string {
  return `decimal numbers of ${whole} digits before the point and ${fraction} after it`
}

/**
 * Why a column does not take a value, for people.
 *
 * @param words - what it takes
 * @param unkept - what the database cannot store in JSON
 */
export function faultOf(column: string, words: string, value: unknown, unkept = ''): string {
  const shown = describeValue(value)
  if (typeof value === 'string') {
    if (value.includes('\0')) return `column ${column} cannot hold the NUL in ${shown}`
    if (!value.isWellFormed()) return `column ${column} cannot hold half of a surrogate pair in ${shown}`
  }
  if (words !== JSON_WORDS) return `column ${column} takes ${words}: found ${shown}`
  return `column ${column} cannot hold ${shown} as JSON${whyNoJson(value, unkept)}`
}

/** Why a column of this type does not take a value; `words` say what it takes if the type alone does not. */
export function faultOfType(column: string, type: string, value: unknown, words: string): string {
  const isForJson = type === 'json' || (isJson(value) && type !== 'bytes' && type !== 'text')
  return faultOf(column, isForJson ? JSON_WORDS : words, value)
}

/** Whether a value is stored as JSON if its column does not say otherwise. */
export function isJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array)
}

function whyNoJson(value: unknown, unkept: string): string {
  try {
    jsonText(value)
    return unkept === '' ? '' : `: ${unkept} in it would not come back`
  } catch (error) {
    return `: ${messageOf(error).split('\n', 1)[0]}`
  }
}

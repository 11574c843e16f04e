// How values go into columns, as far as it is the same in all databases.

import { describeValue } from '../../../base/check.ts'
import { messageOf } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import { jsonText } from '../json/line.ts'

/** How values go into a column. */
export interface ColumnCodec<Write> {
  readonly write: Write
  /** What the column takes, for a person. */
  readonly words: string
  /** The type of columns that it is like: what it may be widened from. Undefined for one that is like none. */
  readonly like: ColumnType | undefined
  /** Types of columns that may be named for it. */
  readonly takes: readonly ColumnType[]
  /** Whether values go over as text, of which the database alone can tell if it comes back as it is. */
  readonly isCast: boolean
}

export interface CodecOptions {
  /** The type that the column was named with, if it was. */
  readonly named: ColumnType | undefined
  /** Whether a column of text takes all that text can be made of. */
  readonly takesAnyText: boolean
}

export const DATES = 'epoch milliseconds, dates and ISO 8601'
export const JSON_WORDS = 'what JSON can hold'
/** Whole numbers as 64-bit columns take them. */
export const WHOLE = 'whole numbers that are exact and fit into 64 bits'

/** What columns take, by their type, where nothing narrows it down. */
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

/** Whether a column was named for numbers: who does so does not mean digits in a text. */
export function isForNumbers({ named }: CodecOptions): boolean {
  return named === 'integer' || named === 'real'
}

/** What a column takes that takes a few texts. */
export function oneOf(labels: readonly string[]): string {
  return `one of ${labels.length > 10 ? `${labels.slice(0, 10).join(', ')} …` : labels.join(', ')}`
}

export function decimalsOf(whole: number, fraction: number): string {
  return `decimal numbers of ${whole} digits before the point and ${fraction} after it`
}

/**
 * Why a column does not take a value, for a person to read.
 *
 * @param words - what it takes
 * @param unkept - what the database does not keep of JSON
 */
export function faultOf(column: string, words: string, value: unknown, unkept = ''): string {
  const shown = describeValue(value)
  if (typeof value === 'string') {
    if (value.includes('\0')) return `column ${column} cannot hold the NUL in ${shown}`
    if (!value.isWellFormed()) return `column ${column} cannot hold the half of a surrogate pair in ${shown}`
  }
  if (words !== JSON_WORDS) return `column ${column} takes ${words}: found ${shown}`
  return `column ${column} cannot hold ${shown} as JSON${whyNoJson(value, unkept)}`
}

/** Why a column of this type does not take a value; `words` say what it takes where that is not its type alone. */
export function faultOfType(column: string, type: string, value: unknown, words: string): string {
  const isForJson = type === 'json' || (isJson(value) && type !== 'bytes' && type !== 'text')
  return faultOf(column, isForJson ? JSON_WORDS : words, value)
}

/** Whether a value is kept as JSON where its column says nothing. */
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

// Texts to values of typed columns: exactly, or not at all.

import { describeValue } from '../../../base/check.ts'
import { unreachable } from '../../../base/invariant.ts'
import type { ColumnType } from '../../column.ts'
import { Rejection } from '../../format.ts'
import { isDecimal } from '../../kits/decimal.ts'
import { jsonParser } from '../../kits/json/parser.ts'
import type { ReadTime } from '../../kits/time/form.ts'
import { TOO_FINE } from '../../kits/time/rules.ts'
import { type NumberMarks, plainNumber } from './numbers.ts'

/** Integers beyond 2^53: rejected, or bigints of up to 64 bits. */
export type BigInts = 'reject' | 'bigint'

/** Converts the text of one field; returns {@link MISFIT}, or a text that says what is wrong, for an invalid one. */
export type Convert = (text: string) => unknown

/** How the values of columns are written. */
export interface ValueRules {
  readonly bigints: BigInts
  /** The separators of numbers; undefined for a decimal point only. */
  readonly marks: NumberMarks | undefined
  /** How the times of a column are written. */
  readonly timeOf: (column: string) => { readonly read: ReadTime; readonly words: string }
}

/** Instead of a value, for an invalid text. */
export const MISFIT: unique symbol = Symbol('misfit')

const INTEGER = /^[+-]?[0-9]+$/
const REAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', '1'].map((word) => [word, true] as const),
  ...['false', 'f', 'no', 'n', '0'].map((word) => [word, false] as const),
])

/** How the fields of a column of this type are converted. */
export function converterOf(name: string, type: ColumnType, rules: ValueRules): Convert {
  const { bigints, marks } = rules
  switch (type) {
    case 'text':
      return (text) => text
    case 'integer':
      return inMarks(
        marks,
        bigints === 'bigint' ? (text) => readInteger(text, readBigInt) : (text) => readInteger(text, refused),
      )
    case 'real':
      return inMarks(marks, readReal)
    case 'decimal':
      return inMarks(marks, (text) => (isDecimal(text) ? text : MISFIT))
    case 'boolean':
      return (text) => BOOLEANS.get(text.length <= 5 ? text.toLowerCase() : '') ?? MISFIT
    case 'time':
      return timeConverter(name, rules)
    case 'json':
      return jsonReader(bigints)
    case 'bytes':
      return () => MISFIT
    default:
      return unreachable(type)
  }
}

/** Why the text of a field is not a value of its column. */
export function misfit(name: string, type: ColumnType, { bigints, marks }: ValueRules, text: string): Rejection {
  const words = type === 'integer' && bigints === 'bigint' ? 'integers of 64 bits' : WORDS[type]
  const isMarked = marks !== undefined && (type === 'integer' || type === 'real' || type === 'decimal')
  return takes(name, isMarked ? `${words}, written as ${marks.example}` : words, text)
}

function takes(name: string, words: string, text: string): Rejection {
  return new Rejection(`column ${describeValue(name)} takes ${words}: found ${describeValue(text)}`)
}

const WORDS: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: 'integers up to 2^53',
  real: 'numbers',
  decimal: 'decimal numbers such as -12.50',
  boolean: 'true or false',
  time: 'times',
  json: 'JSON',
  bytes: 'bytes, which CSV cannot represent',
}

function timeConverter(name: string, { timeOf }: ValueRules): Convert {
  const { read, words } = timeOf(name)
  return (text) => {
    const time = read(text)
    if (typeof time === 'number') return time
    const found = takes(name, `times as ${words}`, text).reason
    return new Rejection(time === TOO_FINE || !time.startsWith('not ') ? `${found}: ${time}` : found)
  }
}

function inMarks(marks: NumberMarks | undefined, read: Convert): Convert {
  if (marks === undefined) return read
  return (text) => {
    const number = plainNumber(text, marks)
    return number === undefined ? MISFIT : read(number)
  }
}

function readInteger(text: string, beyond: (text: string) => unknown): unknown {
  // Up to nine digits, the common case, by hand.
  const { length } = text
  if (length <= 9) {
    let value = 0
    for (let at = 0; at < length; at += 1) {
      const digit = text.charCodeAt(at) - 48
      if (!(digit >= 0 && digit <= 9)) return readSigned(text, beyond)
      value = value * 10 + digit
    }
    return length === 0 ? MISFIT : value
  }
  return readSigned(text, beyond)
}

function readSigned(text: string, beyond: (text: string) => unknown): unknown {
  if (!INTEGER.test(text)) return MISFIT
  const value = Number(text)
  // An integer has no negative zero.
  return Number.isSafeInteger(value) ? value + 0 : beyond(text)
}

function refused(): typeof MISFIT {
  return MISFIT
}

function readBigInt(text: string): unknown {
  const digits = text.replace(/^([+-]?)0+(?=[0-9])/, '$1')
  if (digits.length > 20) return MISFIT
  const value = BigInt(digits.startsWith('+') ? digits.slice(1) : digits)
  return BigInt.asIntN(64, value) === value ? value : MISFIT
}

function readReal(text: string): unknown {
  if (!REAL.test(text)) return MISFIT
  const value = Number(text)
  return Number.isFinite(value) ? value : MISFIT
}

function jsonReader(bigints: BigInts): Convert {
  const parse = jsonParser({ bigints })
  return (text) => {
    const value = parse(text)
    return value instanceof Rejection ? MISFIT : value
  }
}

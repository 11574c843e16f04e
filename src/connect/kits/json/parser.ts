// Parses JSON texts: exact numbers, within limits.

import { describeValue } from '../../../base/check.ts'
import { messageOf } from '../../../base/errors.ts'
import { anything, type Checks, choice, integer } from '../../../base/options.ts'
import { Rejection } from '../../format.ts'
import { printable } from '../text/refuse.ts'
import { type ColumnTime, columnTimes } from '../time/columns.ts'
import type { TimeForm } from '../time/form.ts'
import { TIME_OPTIONS, type TimeOptions, timeRules } from '../time/rules.ts'
import { faultOfJson, type JsonLimits } from './limits.ts'
import { BIGINTS, exactNumber, type JsonBigInts, mayBeInexact } from './numbers.ts'

export interface JsonOptions extends TimeOptions {
  /**
   * Integers beyond 2^53, which a number would round: `reject` makes a dead letter of the record (the default),
   * `bigint` a bigint of the number, `number` the nearest number.
   */
  readonly bigints?: JsonBigInts
  /** The deepest nesting of arrays and objects. 100 by default. */
  readonly maxDepth?: number
  /** The most keys of one object. 10,000 by default. */
  readonly maxKeys?: number
  /**
   * Keys of the outermost object that are times, each with its format: `iso`, `s`, `ms`, `us`, `ns` or a pattern. They
   * become epoch milliseconds; null and a missing key are unchanged, anything else makes a dead letter.
   */
  readonly time?: Readonly<Record<string, TimeForm>>
}

/** Their names. */
export const JSON_OPTIONS: Checks<JsonOptions> = {
  bigints: choice(...BIGINTS),
  // JSON.parse with a reviver, and the functions that threads and tables apply to values, are recursive.
  maxDepth: integer(1, 1000),
  maxKeys: integer(1),
  time: anything,
  ...TIME_OPTIONS,
}

/** Those of them that are in a source's own options. */
export function jsonOptions(options: JsonOptions): JsonOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(JSON_OPTIONS, name)))
}

/** A parser of JSON texts with limits. */
export function jsonParser(options: JsonOptions): (text: string) => unknown {
  const { bigints = 'reject', maxDepth = 100, maxKeys = 10_000 } = options
  const limits: JsonLimits = { maxDepth, maxKeys }
  const revive = exactNumber(bigints)
  const times = timesOf(options)
  const parse = (text: string): unknown => {
    const fault = faultOfJson(text, limits)
    if (fault !== undefined) return new Rejection(fault)
    try {
      return mayBeInexact(text) ? JSON.parse(text, revive) : JSON.parse(text)
    } catch (thrown) {
      return new Rejection(
        thrown instanceof SyntaxError ? `not valid JSON: ${printable(messageOf(thrown))}` : messageOf(thrown),
      )
    }
  }
  if (times === undefined) return parse
  return (text) => {
    const value = parse(text)
    return isObject(value) ? withTimes(value, times) : value
  }
}

type Times = readonly (readonly [key: string, time: ColumnTime])[]

function timesOf({ time, ...rest }: JsonOptions): Times | undefined {
  const rules = timeRules(rest)
  if (time === undefined) return undefined
  if (typeof time !== 'object' || time === null)
    throw new TypeError(`time must be formats by key: found ${describeValue(time)}`)
  const timeOf = columnTimes(time, rules)
  return Object.keys(time).map((key) => [key, timeOf(key)])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Rejection)
}

function withTimes(value: Record<string, unknown>, times: Times): unknown {
  for (const [key, { read, words }] of times) {
    if (!Object.hasOwn(value, key) || value[key] === null) continue
    const written = value[key]
    const isWritten = typeof written === 'string' || typeof written === 'number' || typeof written === 'bigint'
    const time = isWritten ? read(String(written)) : 'not a text or a number'
    if (typeof time === 'string')
      return new Rejection(`${describeValue(key)} must be a time as ${words}: found ${describeValue(written)}, ${time}`)
    value[key] = time
  }
  return value
}

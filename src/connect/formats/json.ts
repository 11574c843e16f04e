// The format of JSON: one value in each line, or in each element of an array.

import { checkChoice, checkInteger, checkKeys } from '../../base/check.ts'
import { messageOf } from '../../base/errors.ts'
import { type LineFormat, type ParseLine, Rejection } from '../format.ts'
import { faultOfJson, type JsonLimits } from '../json/limits.ts'
import { exactNumber, type JsonBigInts, mayBeInexact } from '../json/numbers.ts'
import { printable } from './refuse.ts'

export interface JsonOptions {
  /**
   * What becomes of whole numbers beyond 2^53, which a number would round: `reject` makes a dead letter of the record
   * (the default), `bigint` a bigint of the number, `number` the number nearest to it.
   */
  readonly bigints?: JsonBigInts
  /** Most arrays and objects inside each other. 100 by default. */
  readonly maxDepth?: number
  /** Most keys of one object. 10,000 by default. */
  readonly maxKeys?: number
}

/** Their names. */
export const JSON_OPTIONS: readonly string[] = ['bigints', 'maxDepth', 'maxKeys']

/**
 * One JSON value of any kind from each line. What it holds is nobody's promise: `T` is what the caller takes it for, and
 * `validate` of a pipeline is what makes sure.
 *
 * - **Refused**: what is no JSON, is nested over `maxDepth`, has an object of over `maxKeys` keys, or a number that
 *   cannot be kept: a whole one beyond 2^53 unless `bigints` allows it, one like `1e400` always. `-0` stays what it is.
 * - **Keys**: of one that comes twice the last value counts; `__proto__` is a key like any other, an own property.
 *
 * @throws {TypeError | RangeError} for an option that there is not, or that cannot be
 * @example
 * const parse = json().open([])
 * const origin = { source: 'a.ndjson', line: 1, offset: 0, raw: '' }
 * parse('{"id": 7, "tags": []}', origin) // => { id: 7, tags: [] }
 * parse('[9007199254740993]', origin) instanceof Rejection // => true
 * json({ bigints: 'bigint' }).open([])('[9007199254740993]', origin) // => [9007199254740993n]
 */
export function json<T = unknown>(options: JsonOptions = {}): LineFormat<T> {
  checkKeys('json', options, JSON_OPTIONS)
  const parse = jsonParser(options) as ParseLine<T>
  return { name: 'json', usesOrigin: false, usesHead: false, open: () => parse }
}

/** A parser of JSON texts within limits. */
export function jsonParser(options: JsonOptions): (text: string) => unknown {
  const { bigints = 'reject', maxDepth = 100, maxKeys = 10_000 } = options
  checkChoice('bigints', bigints, ['reject', 'bigint', 'number'])
  // JSON.parse with a function to look at its numbers, and what threads and tables do with values, is recursive.
  checkInteger('maxDepth', maxDepth, 1, 1000)
  checkInteger('maxKeys', maxKeys, 1)
  const limits: JsonLimits = { maxDepth, maxKeys }
  const revive = exactNumber(bigints)
  return (text) => {
    const fault = faultOfJson(text, limits)
    if (fault !== undefined) return new Rejection(fault)
    try {
      return mayBeInexact(text) ? JSON.parse(text, revive) : JSON.parse(text)
    } catch (thrown) {
      return new Rejection(
        thrown instanceof SyntaxError ? `no JSON: ${printable(messageOf(thrown))}` : messageOf(thrown),
      )
    }
  }
}

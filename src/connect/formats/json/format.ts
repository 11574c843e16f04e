// The format of JSON: one value per line, or per element of an array.

import { checkOptions } from '../../../base/options.ts'
import type { LineFormat, ParseLine } from '../../format.ts'
import { JSON_OPTIONS, type JsonOptions, jsonParser } from '../../kits/json/parser.ts'

/**
 * One JSON value of any kind per line. Its shape is not checked: `T` is what the caller expects, and `validate` of a
 * pipeline makes sure.
 *
 * - **Rejected**: invalid JSON, nesting over `maxDepth`, an object of over `maxKeys` keys, or a number that cannot be
 *   kept: an integer beyond 2^53 unless `bigints` allows it, one such as `1e400` always. `-0` is kept.
 * - **Keys**: of a duplicate key the last value counts; `__proto__` is a key like any other, an own property.
 *
 * @throws {TypeError | RangeError} for an unknown or invalid option
 * @example
 * const parse = json().open(() => [])
 * const origin = { source: 'a.ndjson', line: 1, offset: 0, raw: '' }
 * parse('{"id": 7, "tags": []}', origin) // => { id: 7, tags: [] }
 * parse('[9007199254740993]', origin) instanceof Rejection // => true
 * json({ bigints: 'bigint' }).open(() => [])('[9007199254740993]', origin) // => [9007199254740993n]
 * json({ time: { at: 's' } }).open(() => [])('{"at": 1709208000.5}', origin) // => { at: 1709208000500 }
 */
export function json<T = unknown>(options: JsonOptions = {}): LineFormat<T> {
  checkOptions('json', options, JSON_OPTIONS)
  const parse = jsonParser(options) as ParseLine<T>
  return { name: 'json', malformed: 'reject', open: () => parse }
}

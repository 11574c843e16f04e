// JSON in a database column, parsed like the JSON format.

import { Rejection } from '../../format.ts'
import type { JsonBigInts } from '../json/numbers.ts'
import { jsonParser } from '../json/parser.ts'
import { Unfit } from './unfit.ts'

/**
 * A parser of JSON values.
 *
 * @throws {Unfit} from the parser, for what {@link json} rejects
 */
export function jsonOf(bigints: JsonBigInts): (text: string) => unknown {
  const parse = jsonParser({ bigints })
  return (text) => {
    const value = parse(text)
    if (value instanceof Rejection) throw new Unfit(value.reason)
    return value
  }
}

/** The error for a column's value. */
export function inColumn(name: string, error: unknown): unknown {
  return error instanceof Unfit ? new Unfit(`column ${JSON.stringify(name)}: ${error.message}`) : error
}

/** A row as JSON for people: bigints as text, bytes as hex. */
export function rawRow(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
    return typeof value === 'bigint' ? `${value}` : value
  })
}

/** Sets a field, even one whose name every object inherits. */
export function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  else object[name] = value
}

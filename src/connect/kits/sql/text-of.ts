// The text stored in a text column for other values, if rows brought several types for it.

import { decimalText } from '../decimal.ts'
import { jsonText } from '../json/line.ts'
import { isStorable } from './exact.ts'

/**
 * The text of a value: numbers as digits, dates as ISO 8601, arrays and objects as JSON. Undefined if it has no text
 * form: bytes, and texts that no database can hold.
 *
 * @example
 * textOf(1.5) // => '1.5'
 * textOf(new Date(0)) // => '1970-01-01T00:00:00.000Z'
 * textOf({ a: 1 }) // => '{"a":1}'
 */
export function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return isStorable(value) ? value : undefined
    case 'number':
      return decimalText(value) ?? String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      return value === null ? undefined : ofObject(value)
    default:
      return undefined
  }
}

function ofObject(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
  return jsonOf(value)
}

/** JSON of a value, exactly; undefined for what JSON cannot represent. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return jsonText(value)
  } catch {
    // `jsonText` tells callers why.
    return undefined
  }
}

// A value as one line of JSON: what may be shown to anybody, and data as it is.

import { messageOf } from '../base/errors.ts'
import { escapeJson } from './escape.ts'
import { redact } from './redact.ts'

/**
 * `value` as JSON and a line end: control characters escaped, credentials taken out of every text, a bigint as text,
 * an error as its message.
 *
 * @example
 * jsonLine({ from: 'amqp://ann:secret@host', bytes: 5n }) // => '{"from":"amqp://***@host","bytes":"5"}\n'
 */
export function jsonLine(value: unknown): string {
  return `${escapeJson(JSON.stringify(value, plain) ?? 'null')}\n`
}

/**
 * The same for data, of which nothing is taken out: it parses to the texts that were there.
 *
 * @example
 * dataLine({ from: 'amqp://ann:secret@host', bytes: 5n }) // => '{"from":"amqp://ann:secret@host","bytes":"5"}\n'
 */
export function dataLine(value: unknown): string {
  return `${escapeJson(JSON.stringify(value, whole) ?? 'null')}\n`
}

function whole(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Error ? messageOf(value) : value
}

function plain(key: string, value: unknown): unknown {
  const shown = whole(key, value)
  return typeof shown === 'string' ? redact(shown) : shown
}

// A value as one line of JSON: safe to show, or exact data.

import { messageOf } from '../base/errors.ts'
import { escapeJson } from './escape.ts'
import { redact } from './redact.ts'

/**
 * `value` as JSON and a line end: control characters escaped, credentials removed from every text, bigints as text,
 * errors as their message.
 *
 * @example
 * jsonLine({ from: 'amqp://ann:secret@host', bytes: 5n }) // => '{"from":"amqp://***@host","bytes":"5"}\n'
 */
export function jsonLine(value: unknown): string {
  return `${escapeJson(JSON.stringify(value, plain) ?? 'null')}\n`
}

/**
 * The same for data, of which nothing is removed: it parses to the original texts.
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

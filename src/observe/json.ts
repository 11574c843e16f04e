// A value as one line of JSON that may be shown to anybody.

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
  return `${escapeJson(JSON.stringify(value, plain))}\n`
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Error ? redact(messageOf(value)) : value
}

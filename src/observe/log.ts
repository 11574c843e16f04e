// Notices for people or for machines: one line each.

import { messageOf } from '../base/errors.ts'
import { escapeText } from './escape.ts'
import { redact } from './redact.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** The shape that pino and others have, so that one of them can stand in. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export type LogFields = Readonly<Record<string, unknown>>

export interface LogOptions {
  /** `json`: one object a line. `text`: the message alone. */
  readonly format: 'text' | 'json'
  readonly write: (line: string) => void
  /** Epoch milliseconds, UTC. */
  readonly wallMs: () => number
}

/**
 * A logger that writes lines. Control characters are escaped and credentials taken out, whatever the format.
 *
 * @example
 * const lines: string[] = []
 * const log = lineLogger({ format: 'json', write: (line) => void lines.push(line), wallMs: () => 0 })
 * log.warn({ attempt: 2 }, 'lost the connection')
 * lines // => ['{"level":"warn","time":0,"attempt":2,"msg":"lost the connection"}\n']
 */
export function lineLogger({ format, write, wallMs }: LogOptions): Logger {
  const at =
    (level: Level) =>
    (fields: LogFields, message: string): void => {
      if (format === 'text') return write(`${escapeText(redact(message))}\n`)
      const record = { level, time: wallMs(), ...fields, msg: message }
      write(`${redact(JSON.stringify(record, plain))}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** What JSON has no form for. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Error ? messageOf(value) : value
}

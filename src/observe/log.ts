// Log lines for people or machines.

import { checkChoice, checkKeys } from '../base/check.ts'
import { escapeText } from './escape.ts'
import { jsonLine } from './json.ts'
import { redact } from './redact.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** From the least to the most urgent. */
export const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

/** The shape of pino and other loggers, so that one of them can be used instead. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** The same with `fields` in every record. */
  child(fields: LogFields): Logger
}

export type LogFields = Readonly<Record<string, unknown>>

export interface LogOptions {
  /** `json`: one object per line. `text`: the message, followed by the field `stack` if there is one. */
  readonly format: 'text' | 'json'
  /** The least urgent level to write. All by default. */
  readonly level?: Level
  readonly write: (line: string) => void
  /** Epoch milliseconds, UTC. */
  readonly wallMs: () => number
}

/**
 * A logger that writes lines. Control characters are escaped and credentials removed in either format.
 *
 * @example
 * const lines: string[] = []
 * const log = lineLogger({ format: 'json', write: (line) => void lines.push(line), wallMs: () => 0 })
 * log.warn({ attempt: 2 }, 'lost the connection')
 * lines // => ['{"level":"warn","time":0,"attempt":2,"msg":"lost the connection"}\n']
 */
export function lineLogger(options: LogOptions): Logger {
  checkKeys('lineLogger', options, ['format', 'level', 'write', 'wallMs'])
  checkChoice('format of lineLogger', options.format, ['text', 'json'])
  if (options.level !== undefined) checkChoice('level of lineLogger', options.level, LEVELS)
  return loggerWith({}, options)
}

function loggerWith(always: LogFields, options: LogOptions): Logger {
  const { format, write, wallMs, level: least = 'debug' } = options
  const at =
    (level: Level) =>
    (fields: LogFields, message: string): void => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
      if (format === 'text') write(textOf(message, { ...always, ...fields }))
      else write(jsonLine({ level, time: wallMs(), ...always, ...fields, msg: message }))
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerWith({ ...always, ...fields }, options),
  }
}

function textOf(message: string, { stack }: LogFields): string {
  const below = typeof stack === 'string' ? stack.split('\n') : []
  return [message, ...below].map((line) => `${escapeText(redact(line))}\n`).join('')
}

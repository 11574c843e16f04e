// What a command reads from and writes to: passed in, so that tests see what a user would.

import { systemClock } from '../base/clock.ts'
import { type Level, type Logger, lineLogger } from '../observe/log.ts'

/** An output stream, and what is known about its reader. */
export interface Out {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  /** Writes, and waits until it is taken. @throws {SluiceError} OUTPUT_CLOSED, STORAGE_FAILED */
  put?(text: string): Promise<void>
}

/** Writes a lot: no faster than it is read, and nothing more once the reader is gone. */
export async function put(out: Out, text: string): Promise<void> {
  if (out.put === undefined) out.write(text)
  else await out.put(text)
}

export interface Io {
  readonly stdout: Out
  readonly stderr: Out
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Writes notices and errors to standard error. */
export function logTo({ stderr }: Io, { log: format, logLevel: level = 'debug' }: LogChoice): Logger {
  return lineLogger({ format, level, write: (line) => stderr.write(line), wallMs: systemClock.wallMs })
}

interface LogChoice {
  readonly log: 'text' | 'json'
  readonly logLevel?: Level
}

/** Whether a stream takes colours and redrawn lines. */
export function isLively(out: Out, env: Io['env']): boolean {
  return out.isTTY === true && env.TERM !== 'dumb' && env.CI === undefined
}

/** Whether a stream takes colours: see https://no-color.org. */
export function hasColour(out: Out, env: Io['env']): boolean {
  return isLively(out, env) && (env.NO_COLOR ?? '') === ''
}

// How a failure is printed: one line with what to do; only a bug comes with its stack.

import { isSluiceError, messageOf } from '../base/errors.ts'
import type { Totals } from '../connect/sink.ts'
import { jsonLine } from '../observe/json.ts'
import type { Logger } from '../observe/log.ts'
import { countText } from '../observe/text.ts'
import { exitCodeOf } from './exit.ts'
import type { Io } from './io.ts'
import { Stopped } from './signals.ts'

/** Context of a failure beside the error. */
export interface FailureContext {
  readonly io: Io
  readonly log: Logger
  /** Whether standard output must end with one JSON object. */
  readonly isJson: boolean
  /** What is committed over all runs, if a run had started. */
  readonly committed?: Totals | undefined
}

/** Prints a failure; returns the exit code. A stop by a person was already printed. */
export function tellFailure(error: unknown, { io, log, isJson, committed }: FailureContext): number {
  const exitCode = error instanceof Stopped ? error.exitCode : exitCodeOf(error)
  const code = error instanceof Stopped ? 'STOPPED' : isSluiceError(error) ? error.code : 'BUG'
  if (code === 'BUG') tellBug(error, exitCode, log, committed)
  // A closed reader is not a failure: as after `| head`.
  else if (code !== 'STOPPED' && code !== 'OUTPUT_CLOSED') {
    const stands = committed === undefined ? '' : ` (committed in all runs: ${countText(committed.read)} records)`
    log.error({ code, exitCode }, `sluice: ${inOneLine(messageOf(error))}${stands}`)
  }
  // Rows went there, and nobody reads them any more.
  if (isJson && code !== 'OUTPUT_CLOSED') {
    const details = isSluiceError(error) ? error.details : {}
    io.stdout.write(jsonLine({ error: { code, message: messageOf(error), details }, overall: committed, exitCode }))
  }
  return exitCode
}

function tellBug(error: unknown, exitCode: number, log: Logger, committed: Totals | undefined): void {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : []
  log.error({ code: 'BUG', exitCode, stack: frames.join('\n') }, `sluice: ${inOneLine(messageOf(error))}`)
  const stands = committed === undefined ? '' : `, ${countText(committed.read)} records in all runs`
  const advice = 'sluice: this is a bug in Sluice or in a part of the pipeline: please report it with the lines above'
  log.error({ code: 'BUG' }, `${advice}; what was committed stands${stands}: run the same command to continue`)
}

function inOneLine(message: string): string {
  return message
    .split(/\r?\n/)
    .map((line) => line.trim())
    .join(' ')
}

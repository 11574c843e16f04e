// How a failure is told: one line that a person can act on; only a bug comes with its stack.

import { isSluiceError, messageOf } from '../base/errors.ts'
import type { Totals } from '../connect/sink.ts'
import { jsonLine } from '../observe/json.ts'
import type { Logger } from '../observe/log.ts'
import { countText } from '../observe/text.ts'
import { exitCodeOf } from './exit.ts'
import type { Io } from './io.ts'
import { Stopped } from './signals.ts'

/** What is known about a failure beside the error. */
export interface FailureContext {
  readonly io: Io
  readonly log: Logger
  /** Whether standard output must end with one JSON object. */
  readonly isJson: boolean
  /** What is committed over all runs, where a run had begun. */
  readonly committed?: Totals | undefined
}

/** Tells of a failure; gives the exit code. That a person stopped the run was told when it happened. */
export function tellFailure(error: unknown, { io, log, isJson, committed }: FailureContext): number {
  const exitCode = error instanceof Stopped ? error.exitCode : exitCodeOf(error)
  const code = error instanceof Stopped ? 'STOPPED' : isSluiceError(error) ? error.code : 'BUG'
  if (code === 'BUG') tellBug(error, exitCode, log, committed)
  // That nobody reads on is no failure: as after `| head`.
  else if (code !== 'STOPPED' && code !== 'OUTPUT_CLOSED') {
    const stands = committed === undefined ? '' : ` (committed in all runs: ${countText(committed.read)} records)`
    log.error({ code, exitCode }, `sluice: ${inOneLine(messageOf(error))}${stands}`)
  }
  // There the rows went, and nobody reads on.
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
  log.error({ code: 'BUG' }, `${advice}; what was committed stands${stands}: run the same command to go on`)
}

function inOneLine(message: string): string {
  return message
    .split(/\r?\n/)
    .map((line) => line.trim())
    .join(' ')
}

// Exit codes: those of sysexits, so that scripts can tell what to do next.

import { type ErrorCode, isSluiceError } from '../base/errors.ts'

export const OK = 0
export const TEST_FAILED = 1
export const COMMAND_WRONG = 64
export const BUG = 70
export const CANNOT_WRITE = 74

/** The meaning of each code, in the order of the help. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'everything was read and committed, rejected records within the limit; SIGTERM of an unbounded source'],
  ['1', 'a test failed (sluice test)'],
  ['64', 'the command line is wrong'],
  ['65', 'too many rejected records (--strict, --max-dead-letters) or keys, or a function of a flow threw'],
  ['66', 'the source is missing, unreadable, corrupt, or has changed'],
  ['69', 'the sink cannot be reached'],
  ['70', 'a bug in Sluice: please report it'],
  ['74', 'one of our own files, or the summary, cannot be written (disk full, output closed)'],
  ['75', 'another instance holds the pipeline'],
  ['78', 'the pipeline, a parameter or the target does not fit'],
  ['128+n', 'stopped by signal n (129: hang-up, 130: Ctrl-C, 143: SIGTERM); the same command continues'],
]

const CODES: Readonly<Record<ErrorCode, number>> = {
  COMMAND_INVALID: COMMAND_WRONG,
  CONFIG_INVALID: 78,
  TOO_MANY_DEAD_LETTERS: 65,
  SOURCE_MISSING: 66,
  SOURCE_UNREADABLE: 66,
  SOURCE_CORRUPT: 66,
  SOURCE_LIMIT: 66,
  POSITION_LOST: 66,
  SOURCE_DIFFERS: 66,
  SINK_LOST: 69,
  SINK_UNREACHABLE: 69,
  // The reader decides when it has enough, as with head.
  OUTPUT_CLOSED: OK,
  SINK_MISMATCH: 78,
  PIPELINE_HELD: 75,
  CHECKPOINT_INVALID: 78,
  STORAGE_FAILED: 74,
  RESTARTS_OVER_LIMIT: 70,
  BUFFER_FULL: 70,
  STATE_OVER_LIMIT: 65,
  STATE_NOT_KEPT: 78,
  TIMED_OUT: 69,
  OPERATOR_FAILED: 65,
  WORKER_FAILED: 70,
  FLOW_MISMATCH: 78,
  NOT_PORTABLE: 78,
  ENGINE_UNREACHABLE: 69,
  ENGINE_FAILED: 69,
}

/** The exit code of a failure. An unexpected one is a bug. */
export function exitCodeOf(error: unknown): number {
  if (!isSluiceError(error)) return BUG
  // If the event is known, a user function threw.
  if (isSluiceError(error, 'WORKER_FAILED') && (error.details.event ?? 'unknown') !== 'unknown')
    return CODES.OPERATOR_FAILED
  return CODES[error.code]
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

export type StopSignal = keyof typeof SIGNALS
export const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + SIGNALS[signal]
}

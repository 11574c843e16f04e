// The errors that a caller can act on: one table of codes, one class.

/** Every code that Sluice throws for a caller to act on, with its details. */
export interface ErrorDetails {
  /** The command line is not valid. */
  COMMAND_INVALID: { readonly argument: string }
  /** A pipeline, a parameter or an option cannot be used as given. */
  CONFIG_INVALID: { readonly key: string; readonly value: unknown; readonly allowed: string }
  /** There is nothing to read. */
  SOURCE_MISSING: { readonly source: string }
  /** A source exists but cannot be read. */
  SOURCE_UNREADABLE: { readonly source: string; readonly offset: number; readonly errno: string }
  /** A source holds bytes that its encoding does not allow (for example a wrong gzip checksum). */
  SOURCE_CORRUPT: { readonly source: string; readonly offset: number; readonly found: string }
  /** A source is larger than the stated limit (a decompression bomb). */
  SOURCE_LIMIT: { readonly source: string; readonly limit: number; readonly found: number }
  /** A source can no longer be read from where the checkpoint left it. */
  POSITION_LOST: { readonly source: string; readonly position: string }
  /** Copies of one run do not see the same source. */
  SOURCE_DIFFERS: { readonly source: string; readonly other: string }
  /** More events were rejected than the run allows. */
  TOO_MANY_DEAD_LETTERS: { readonly rejected: number; readonly read: number; readonly limit: string }
  /** A sink was lost, or is refusing for now: another attempt, from the last commit, may succeed. */
  SINK_LOST: { readonly sink: string; readonly reason: string }
  /** A sink did not answer within its retry time. */
  SINK_UNREACHABLE: { readonly sink: string; readonly attempts: number }
  /** The reader of a run's output closed it. */
  OUTPUT_CLOSED: { readonly sink: string }
  /** An existing table does not fit the rows. */
  SINK_MISMATCH: { readonly sink: string; readonly table: string; readonly found: string }
  /** Another instance holds, or has taken over, this pipeline. */
  PIPELINE_HELD: { readonly pipeline: string; readonly by: string }
  /** A checkpoint is damaged, newer than this version, or belongs to another pipeline. */
  CHECKPOINT_INVALID: { readonly pipeline: string; readonly found: string }
  /** One of our own files could not be written. */
  STORAGE_FAILED: { readonly path: string; readonly errno: string }
  /** A group of stages was restarted more often than allowed. */
  RESTARTS_OVER_LIMIT: { readonly stage: string; readonly restarts: number; readonly withinMs: number }
  /** A producer had more events than its buffer holds, and its policy is to fail. */
  BUFFER_FULL: { readonly stage: string; readonly size: number }
  /** An operator reached the limit of its state. */
  STATE_OVER_LIMIT: { readonly operator: string; readonly option: string; readonly limit: number }
  /** The state of an operator cannot be stored in a checkpoint, or cannot be restored from one. */
  STATE_NOT_KEPT: { readonly operator: string; readonly found: string }
  /** A user function of a flow threw. */
  OPERATOR_FAILED: { readonly operator: string; readonly event: string }
  /** A worker thread failed, exited, or did not return from a batch in time. */
  WORKER_FAILED: { readonly worker: number; readonly operator: string; readonly event: string }
  /** A module that threads run does not export the same flow in each of them, or none at all. */
  FLOW_MISMATCH: { readonly module: string; readonly found: string }
  /** A pipeline, or a part of it, cannot run on an engine. */
  NOT_PORTABLE: { readonly pipeline: string; readonly reasons: readonly string[] }
  /** No engine listens at an address. */
  ENGINE_UNREACHABLE: { readonly address: string }
  /** A job on an engine did not come to its end. */
  ENGINE_FAILED: { readonly address: string; readonly job: string; readonly state: string }
  /** A task or a request did not end in time. */
  TIMED_OUT: { readonly what: string; readonly limitMs: number }
}

export type ErrorCode = keyof ErrorDetails

/**
 * An error that a caller can act on: `code` says what happened, `details` carries the specifics.
 *
 * Messages name the act, then what prevented it, then what was found. An error thrown by a user function travels as
 * `cause`, unwrapped.
 *
 * @example
 * const lost = new SluiceError('POSITION_LOST', 'Cannot resume "a.log" from byte 812: the file is now 400 bytes', {
 *   source: 'a.log',
 *   position: 'byte 812',
 * })
 * lost.code // => 'POSITION_LOST'
 */
export class SluiceError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'SluiceError'
  readonly code: C
  readonly details: ErrorDetails[C]

  constructor(code: C, message: string, details: ErrorDetails[C], options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** Whether `error` is a {@link SluiceError}, with the given code if one is named. */
export function isSluiceError<C extends ErrorCode>(error: unknown, code?: C): error is SluiceError<C> {
  return error instanceof SluiceError && (code === undefined || error.code === code)
}

/** The message of anything that was thrown, or the thrown value as a string. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message
  return String(thrown)
}

/** The system's name of a failure (`ENOENT`, `ENOSPC`), or `unknown`. */
export function errnoOf(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : 'unknown'
}

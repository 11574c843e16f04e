// Failures of workers: how they are sent, and the errors they become.

import { type ErrorCode, isSluiceError, SluiceError } from '../../base/errors.ts'
import type { RejectionLog } from '../rejection-log.ts'
import type { Failure, SentError } from './message.ts'

export function failureOf(
  thrown: unknown,
  { failedCall, readError }: Pick<RejectionLog, 'failedCall' | 'readError'>,
): Failure {
  const isOfSource = thrown !== undefined && thrown === readError
  return { error: sent(thrown), operator: failedCall?.operator, event: failedCall?.event, isOfSource }
}

/**
 * The error of a worker's failure. The error of a source, and an error with a code, stays as it is, as in one thread: a
 * file is as damaged wherever it is read. Any other error names worker, operator and event, and has what was thrown as
 * its cause.
 */
export function workerFailed(worker: number, workers: number, failure: Failure): Error {
  return failedBy(`Worker ${worker + 1} of ${workers}`, worker + 1, failure)
}

/** The same of a worker that others number. */
export function failedBy(who: string, worker: number, failure: Failure): Error {
  const { operator, event, error, isOfSource } = failure
  if (error.isOurs || (operator === undefined && isOfSource)) return revived(error)
  const place = operator === undefined ? '' : ` in ${operator}`
  const at = event === undefined ? '' : ` at ${event}`
  const message = `${who} failed${place}${at}: ${error.message}`
  const details = { worker, operator: operator ?? 'unknown', event: event ?? 'unknown' }
  return new SluiceError('WORKER_FAILED', message, details, { cause: revived(error) })
}

function sent(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) {
    return {
      name: 'Error',
      message: String(thrown),
      stack: undefined,
      code: undefined,
      details: undefined,
      isOurs: false,
    }
  }
  const { name, message, stack, code, details } = thrown as Error & { code?: unknown; details?: unknown }
  const isOurs = isSluiceError(thrown)
  return { name, message, stack, code: typeof code === 'string' ? code : undefined, details: plain(details), isOurs }
}

/** Details as JSON: nothing in them may stop the message. */
function plain(details: unknown): unknown {
  try {
    return details === undefined ? undefined : JSON.parse(JSON.stringify(details))
  } catch {
    return undefined // A cycle, or a bigint: the message says enough.
  }
}

function revived({ name, message, stack, code, details, isOurs }: SentError): Error {
  const own = stack === undefined ? {} : { stack }
  if (isOurs) return Object.assign(new SluiceError(code as ErrorCode, message, details as never), own)
  const known = { ...(code === undefined ? {} : { code }), ...(details === undefined ? {} : { details }) }
  return Object.assign(new Error(message), { name, ...own, ...known })
}

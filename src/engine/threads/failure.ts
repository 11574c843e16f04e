// Failures of workers: what is sent of them, and what they become for the one who waits for the run.

import { SluiceError } from '../../base/errors.ts'
import type { Blame } from '../account.ts'
import type { Failure, SentError } from './message.ts'

export function failureOf(thrown: unknown, blame: Blame | undefined): Failure {
  return { error: sent(thrown), operator: blame?.operator, event: blame?.event }
}

/** The error of a worker's failure: it names worker, operator and event; what was thrown there is its cause. */
export function workerFailed(worker: number, workers: number, failure: Failure): SluiceError<'WORKER_FAILED'> {
  const { operator, event, error } = failure
  const place = operator === undefined ? '' : ` in ${operator}`
  const at = event === undefined ? '' : ` at ${event}`
  const message = `Worker ${worker + 1} of ${workers} failed${place}${at}: ${error.message}`
  const details = { worker: worker + 1, operator: operator ?? 'unknown', event: event ?? 'unknown' }
  return new SluiceError('WORKER_FAILED', message, details, { cause: revived(error) })
}

function sent(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), stack: undefined, code: undefined, details: undefined }
  }
  const { name, message, stack, code, details } = thrown as Error & { code?: unknown; details?: unknown }
  return { name, message, stack, code: typeof code === 'string' ? code : undefined, details: plain(details) }
}

/** Details as JSON has them: whatever else is in them must not stop the message. */
function plain(details: unknown): unknown {
  try {
    return details === undefined ? undefined : JSON.parse(JSON.stringify(details))
  } catch {
    return undefined // A cycle, or a bigint: the message says enough.
  }
}

function revived({ name, message, stack, code, details }: SentError): Error {
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return Object.assign(
    error,
    code === undefined ? undefined : { code },
    details === undefined ? undefined : { details },
  )
}

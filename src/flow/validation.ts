// The result of validating an event.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPromise } from '../base/promise.ts'

/** The schema rejects the event: `reason` says why. */
export const REFUSED: unique symbol = Symbol('refused')
/** The schema is async: `answer` is the pending result. */
export const WAITS: unique symbol = Symbol('waits')

type Result = StandardSchemaV1.Result<unknown>

/** Validates one event after the other. */
export class Check {
  readonly #schema: StandardSchemaV1
  /** For the last event that was rejected. */
  reason = ''
  /** For the last event with a pending result. */
  answer: PromiseLike<Result> | undefined

  constructor(schema: StandardSchemaV1) {
    this.#schema = schema
  }

  /** What the event becomes; or {@link REFUSED}, or {@link WAITS}. Throws what the schema throws. */
  of(value: unknown): unknown {
    const result = this.#schema['~standard'].validate(value)
    if (!isPromise(result)) return this.settled(result)
    this.answer = result
    return WAITS
  }

  settled(result: Result): unknown {
    if (result.issues === undefined) return result.value
    this.reason = reasonsOf(result.issues)
    return REFUSED
  }
}

/** The reasons with their paths in the value: `status: Too big`. */
function reasonsOf(issues: readonly StandardSchemaV1.Issue[]): string {
  const reasons = issues.map(({ message, path }) => {
    const place = path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return place === undefined || place === '' ? message : `${place}: ${message}`
  })
  return reasons.join('; ') || 'rejected without a reason'
}

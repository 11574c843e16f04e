// One call of an asynchronous function, with its attempts.

import type { Clock } from '../base/clock.ts'
import type { CallContext } from '../flow/operator-options.ts'
import type { WaitSettings } from '../flow/plan.ts'
import { withAttempts } from '../stage/attempts.ts'

/** What a call gets beside its event; functions of Sluice's own also ask for the time. */
export interface TimedCall extends CallContext {
  readonly nowMs: number
}

export type CallFunction = (value: unknown, context: TimedCall) => unknown

export interface CallOptions {
  readonly name: string
  readonly settings: Pick<WaitSettings, 'attempts' | 'timeoutMs' | 'firstBackoffMs'>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The longest wait between two attempts, in clock milliseconds. */
const LONGEST_BACKOFF_MS = 30_000

/** Returns what the function returns: a promise only if it does, or if there may be another attempt. */
export function callFor(event: unknown, fn: CallFunction, { name, settings, clock, signal }: CallOptions): unknown {
  const { attempts, timeoutMs, firstBackoffMs } = settings
  if (attempts === 1 && timeoutMs === undefined) return fn(event, { signal, attempt: 1, nowMs: clock.nowMs() })
  const backoff = { firstMs: firstBackoffMs, capMs: Math.max(firstBackoffMs, LONGEST_BACKOFF_MS) }
  return withAttempts((attempt) => fn(event, { ...attempt, nowMs: clock.nowMs() }), {
    what: `A call of ${name}`,
    attempts,
    backoff,
    timeoutMs,
    clock,
    signal,
  })
}

// Settings of async operators, checked.

import { checkInteger, checkKeys, checkMs } from '../base/check.ts'
import { keyFrom } from './by-name.ts'
import type { KeyBy } from './field-types.ts'
import type { StepOptions } from './name.ts'
import type { WaitSettings } from './plan.ts'

export interface MapAsyncOptions<T = never> extends StepOptions {
  /** The most calls under way at a time: an integer, 1 or more; 16 by default. */
  readonly concurrency?: number
  /**
   * Results in the order of the events (default), or as they come. Before calls in order, a source without splits has
   * one stage, however many threads there are, and so has everything after it, up to a `shuffle` or `partition`.
   */
  readonly ordered?: boolean
  /** A failed call is retried: `attempts` in total (1 by default), after `backoffMs` (100 by default), doubling. */
  readonly retry?: { readonly attempts: number; readonly backoffMs?: number }
  /** The most calls started per second; no limit by default. */
  readonly ratePerSecond?: number
  /** Longest time of one attempt; its signal is aborted then. No limit by default. */
  readonly timeoutMs?: number
  /** Calls for events of equal keys run one after the other, in the order of the events: a function, or names of fields. */
  readonly key?: KeyBy<T>
}

const OPTIONS = ['concurrency', 'ordered', 'retry', 'ratePerSecond', 'timeoutMs', 'key', 'name']
/** Options of `enrich` besides those of `mapAsync`. */
export const ENRICH_OPTIONS: readonly string[] = ['lookup', 'into', 'maxEntries', 'maxAgeMs']

export function waitSettings<T>(name: string, options: MapAsyncOptions<T>): WaitSettings {
  checkKeys(name, options, [...OPTIONS, ...('lookup' in options ? ENRICH_OPTIONS : [])])
  const { concurrency = 16, ordered = true, retry = { attempts: 1 }, ratePerSecond, timeoutMs, key } = options
  checkKeys(`retry of ${name}`, retry, ['attempts', 'backoffMs'])
  checkInteger(`concurrency of ${name}`, concurrency, 1)
  checkInteger(`attempts of ${name}`, retry.attempts, 1)
  const { attempts, backoffMs: firstBackoffMs = 100 } = retry
  checkMs(`backoffMs of ${name}`, firstBackoffMs)
  if (timeoutMs !== undefined) checkMs(`timeoutMs of ${name}`, timeoutMs, 1)
  if (ratePerSecond !== undefined && !(ratePerSecond > 0)) {
    throw new RangeError(`ratePerSecond of ${name} must be more than 0: found ${ratePerSecond}`)
  }
  const by = key === undefined ? undefined : keyFrom(`key of ${name}`, key)
  return { key: by, concurrency, ordered, attempts, firstBackoffMs, ratePerSecond, timeoutMs }
}

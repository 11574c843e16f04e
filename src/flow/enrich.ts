// Enriching events with the result of a lookup for their key, through a bounded cache.

import { checkInteger, checkMs } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import { keyFrom } from './by-name.ts'
import type { KeyNames } from './field-types.ts'
import { checkFunction } from './name.ts'
import type { MapAsyncOptions } from './wait.ts'

export interface EnrichOptions<T, K extends Key, V, U> extends Omit<MapAsyncOptions, 'key'> {
  readonly key: (value: T) => K
  /**
   * A cached lookup. A key is looked up once while its result is cached, even for events that come at the same time.
   */
  readonly lookup: (key: K, context: { readonly signal: AbortSignal }) => PromiseLike<V> | V
  readonly into: (value: T, found: V) => U
  /** The most cached results: the least recently used is dropped first. An integer, 1 or more; 10,000 by default. */
  readonly maxEntries?: number
  /** Results are looked up again after this time, in clock milliseconds; never by default. */
  readonly maxAgeMs?: number
}

/** As {@link EnrichOptions}, with a field as the key. */
export interface EnrichByNameOptions<T, N extends KeyNames<T>, V, U>
  extends Omit<EnrichOptions<T, never, V, U>, 'key' | 'lookup'> {
  readonly key: N
  readonly lookup: (key: NonNullable<T[N]> & Key, context: { readonly signal: AbortSignal }) => PromiseLike<V> | V
}

interface Answer<V> {
  readonly found: PromiseLike<V> | V
  readonly atMs: number
}

/** Makes the lookup function, with a cache of its own. Failures are not cached. */
export function enriching<T, K extends Key, V, U>(
  options: EnrichOptions<T, K, V, U>,
): () => (value: T, context: { readonly signal: AbortSignal; readonly nowMs: number }) => Promise<U> {
  const { lookup, into, maxEntries = 10_000, maxAgeMs = Number.POSITIVE_INFINITY } = options
  const key = keyFrom('key of enrich', options.key) as (value: T) => K
  for (const [name, fn] of Object.entries({ lookup, into })) checkFunction(`${name} of enrich`, fn)
  checkInteger('maxEntries of enrich', maxEntries, 1)
  checkMs('maxAgeMs of enrich', maxAgeMs, 1)
  return () => {
    const answers = new Map<K, Answer<V>>()
    return async (value, { signal, nowMs }) => {
      const of = key(value)
      let answer = answers.get(of)
      answers.delete(of)
      if (answer === undefined || nowMs - answer.atMs > maxAgeMs)
        answer = { found: lookup(of, { signal }), atMs: nowMs }
      // Moved to the end: the first of the map is the least recently used.
      answers.set(of, answer)
      if (answers.size > maxEntries) answers.delete(answers.keys().next().value as K)
      try {
        return into(value, await answer.found)
      } catch (error) {
        if (answers.get(of) === answer) answers.delete(of)
        throw error
      }
    }
  }
}

// first and last: one value, by arrival or by event time.

import { checkTime } from '../base/check.ts'
import type { Aggregate } from './aggregate.ts'
import { type AnyField, aboutField, fieldKind, type OfField, ofOrField } from './field.ts'
import { fromPlain, toPlain } from './plain.ts'

export interface ByTime<In> {
  /** The time of the event, as a number. */
  readonly at?: (event: In) => number
}

/** The same of a field by its name. */
export interface ByTimeField<At extends string> {
  /** The field that tells when the event was, as a number. */
  readonly at?: At
}

/** An aggregate that reads the time of events in a field. */
export interface TimedBy<At extends string> {
  readonly timed?: At
}

export interface EndState<V> {
  isEmpty: boolean
  /** The time of the value; 0 for all without `at`. */
  at: number
  value: V | undefined
}

/**
 * The first event, or a field of it, or what `of` makes of it; null where there was none. Nothing is skipped.
 *
 * First means first to arrive. If events are split among several states, this is known only as far as states are merged
 * in order: `merge(into, other)` takes `into` as the earlier one. With `at` it is the event of the earliest time,
 * however it was split; of equal times, the first to arrive.
 *
 * @throws {TypeError} if `at` returns anything but a comparable number
 * @example
 * const { create, add, result } = first((event: { page: string; ms: number }) => event.page, { at: (event) => event.ms })
 * result([{ page: '/cart', ms: 20 }, { page: '/home', ms: 10 }].reduce(add, create())) // => '/home'
 */
export function first<In>(): Aggregate<In, In | null, EndState<In>>
export function first<const N extends string, const At extends string = never>(
  field: N,
  options?: ByTimeField<At>,
): AnyField<N, 'value'> & TimedBy<At>
export function first<In, V>(of: (event: In) => V, options?: ByTime<In>): Aggregate<In, V | null, EndState<V>>
export function first<In>(
  of: string | ((event: In) => unknown) = itself,
  options: ByTime<In> | ByTimeField<string> = {},
): Aggregate<In, unknown, EndState<unknown>> | OfField<string, unknown> {
  return end('first', (at, held) => at < held, of, options.at)
}

/**
 * The last event, or a field of it, or what `of` makes of it; otherwise as {@link first}: the event of the latest time,
 * of equal times the last to arrive.
 *
 * @example
 * const { create, add, result } = last<string>()
 * result(['a', 'b'].reduce(add, create())) // => 'b'
 */
export function last<In>(): Aggregate<In, In | null, EndState<In>>
export function last<const N extends string, const At extends string = never>(
  field: N,
  options?: ByTimeField<At>,
): AnyField<N, 'value'> & TimedBy<At>
export function last<In, V>(of: (event: In) => V, options?: ByTime<In>): Aggregate<In, V | null, EndState<V>>
export function last<In>(
  of: string | ((event: In) => unknown) = itself,
  options: ByTime<In> | ByTimeField<string> = {},
): Aggregate<In, unknown, EndState<unknown>> | OfField<string, unknown> {
  return end('last', (at, held) => at >= held, of, options.at)
}

function end<In>(
  kind: string,
  isBetter: (at: number, held: number) => boolean,
  of: string | ((event: In) => unknown),
  at: string | ((event: In) => number) | undefined,
): Aggregate<In, unknown, EndState<unknown>> {
  const read = ofOrField(kind, of)
  const timeOf = at === undefined ? undefined : ofOrField(`${kind}: at`, at)
  const byTime = typeof at === 'string' ? `by ${at}` : 'by time'
  return {
    kind: fieldKind(kind, of, timeOf === undefined ? '' : byTime),
    ...aboutField('anything', of, at === undefined ? (value) => end(kind, isBetter, value, at) : undefined),
    ...(typeof of === 'string' && typeof at === 'string' ? { timed: at, fields: [of, at] } : {}),
    create: () => ({ isEmpty: true, at: 0, value: undefined }),
    add(state, event) {
      const at = timeOf === undefined ? 0 : timeOf(event)
      if (timeOf !== undefined) checkTime(`${kind}: at`, at)
      if (state.isEmpty || isBetter(at, state.at)) {
        state.value = read(event)
        state.at = at
        state.isEmpty = false
      }
      return state
    },
    merge: (into, other) => (into.isEmpty || (!other.isEmpty && isBetter(other.at, into.at)) ? { ...other } : into),
    result: ({ isEmpty, value }) => (isEmpty || (typeof of === 'string' && value === undefined) ? null : value),
    save: (state) => toPlain(kind, { ...state }),
    load: (saved) => fromPlain(saved) as EndState<unknown>,
  }
}

function itself(event: unknown): unknown {
  return event
}

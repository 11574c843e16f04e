// collect: the events themselves, up to a limit.

import { checkChoice, checkInteger, checkKeys } from '../base/check.ts'
import type { Aggregate } from './aggregate.ts'
import { type AnyField, aboutField, fieldKind, type OfField, ofOrField } from './field.ts'
import { fromPlain, toPlain } from './plain.ts'

export interface CollectOptions {
  /** The most values held; 10,000 by default. */
  readonly limit?: number
  /** What happens at the limit: an error, or only the first ones are kept. */
  readonly whenFull?: 'fail' | 'first'
}

/**
 * The events in order of arrival, or a field of each, or the result of `of` for each; when merged, those of `into` come
 * first. Nothing is skipped.
 *
 * @param options.limit - the most values held: an integer, 1 or more
 * @throws {RangeError} at the first event beyond `limit`, unless `whenFull` is `first`
 * @example
 * const { create, add, result } = collect((word: string) => word.length, { limit: 2, whenFull: 'first' })
 * result(['a', 'bb', 'ccc'].reduce(add, create())) // => [1, 2]
 */
export function collect<In>(): Aggregate<In, In[], In[]>
export function collect<const N extends string>(field: N, options?: CollectOptions): AnyField<N, 'values'>
export function collect<In, V>(of: (event: In) => V, options?: CollectOptions): Aggregate<In, V[], V[]>
export function collect<In>(
  of: string | ((event: In) => unknown) = (event) => event,
  options: CollectOptions = {},
): Aggregate<In, unknown[], unknown[]> | OfField<string, unknown> {
  const { limit = 10_000, whenFull = 'fail' } = options
  const read = ofOrField('collect', of)
  checkKeys('collect', options, ['limit', 'whenFull'])
  checkInteger('collect: limit', limit, 1)
  checkChoice('collect: whenFull', whenFull, ['fail', 'first'])
  const push = (state: unknown[], value: unknown): void => {
    if (state.length < limit) state.push(value)
    else if (whenFull === 'fail') throw overLimit(limit)
  }
  return {
    kind: fieldKind('collect', of, `${limit}${whenFull === 'first' ? ', first' : ''}`),
    ...aboutField('anything', of, (value) => collect<never, unknown>(value, options)),
    create: () => [],
    add(state, event) {
      push(state, read(event))
      return state
    },
    merge(into, other) {
      for (const value of other) push(into, value)
      return into
    },
    result: (state) => state.slice(),
    save: (state) => toPlain('collect', state),
    load: (saved) => fromPlain(saved) as unknown[],
  }
}

function overLimit(limit: number): RangeError {
  const ways = "raise limit, or keep the first ones with whenFull: 'first'"
  return new RangeError(`Cannot collect another event: the limit of ${limit} is reached (${ways})`)
}

// fold: an aggregate made of user functions.

import { checkKeys, describeValue } from '../base/check.ts'
import type { Aggregate } from './aggregate.ts'
import { fromPlain, toPlain } from './plain.ts'

/** The functions of a fold. */
export interface FoldSpec<In, State, Out> {
  /** The state before the first event; a new one at each call if it is an object. */
  readonly create: () => State
  /** Adds an event; returns the state, the same object or another. */
  readonly add: (state: State, event: In) => State
  /** Merges two states, `into` being the earlier one, and leaves `other` unchanged. */
  readonly merge?: (into: State, other: State) => State
  /** The result of the state: by default the state itself. */
  readonly result?: (state: State) => Out
}

/**
 * A custom aggregate. Without `merge` nothing is combined before events are exchanged between threads.
 *
 * The state must be plain data: objects, arrays, Maps, Sets, Dates, bytes and primitives, or it cannot be saved (a
 * TypeError then says what it holds).
 *
 * @example
 * const longest = fold({
 *   create: () => '',
 *   add: (held, word: string) => (word.length > held.length ? word : held),
 *   result: (held) => held.length,
 * })
 * longest.result(['a', 'ccc', 'bb'].reduce(longest.add, longest.create())) // => 3
 */
export function fold<In, State>(
  spec: FoldSpec<In, State, State> & { readonly result?: never },
): Aggregate<In, State, State>
export function fold<In, State, Out>(
  spec: FoldSpec<In, State, Out> & { readonly result: (state: State) => Out },
): Aggregate<In, Out, State>
export function fold<In, State, Out>(spec: FoldSpec<In, State, Out>): Aggregate<In, Out, State> {
  checkKeys('fold', spec, ['create', 'add', 'merge', 'result'])
  const { create, add, merge, result = (state: State) => state as unknown as Out } = spec
  checkPart('create', create)
  checkPart('add', add)
  checkPart('result', result)
  if (merge !== undefined) checkPart('merge', merge)
  return {
    kind: 'fold',
    create,
    add,
    ...(merge === undefined ? {} : { merge }),
    result,
    save: (state) => toPlain('fold', state),
    load: (saved) => fromPlain(saved) as State,
  }
}

function checkPart(name: string, part: unknown): void {
  if (typeof part !== 'function') throw new TypeError(`fold: ${name} must be a function: found ${describeValue(part)}`)
}

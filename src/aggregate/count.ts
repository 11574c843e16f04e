// count: how many events.

import type { Aggregate } from './aggregate.ts'

/**
 * Counts events.
 *
 * @example
 * const { create, add, merge, result } = record({ n: count() })
 * result(add(add(create(), 'a'), 'b')) // => { n: 2 }
 */
export function count<In = unknown>(): Aggregate<In, number, number> {
  return COUNT
}

const COUNT: Aggregate<unknown, number, number> = {
  kind: 'count',
  create: () => 0,
  add: (state) => state + 1,
  merge: (into, other) => into + other,
  result: (state) => state,
  save: (state) => state,
  load: (saved) => saved as number,
}

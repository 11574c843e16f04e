// The states of keys, for aggregations without windows.

import type { Aggregate } from '../../aggregate/aggregate.ts'
import { generated } from '../../base/generated.ts'
import type { Key } from '../../base/hash.ts'
import { KeyTable } from '../../base/key-table.ts'

/** An aggregate of which nothing is known. */
export type Any = Aggregate<unknown, unknown, unknown>

/** Key → state. */
export class Groups {
  readonly #table = new KeyTable()
  /** States by the numbers of their keys. */
  readonly #states: unknown[] = []

  get size(): number {
    return this.#states.length
  }

  /** Makes what adds a batch to the states of its keys. */
  adder(keyOf: (event: unknown) => Key, { create, add }: Any): (batch: readonly unknown[]) => void {
    const args = { table: this.#table, states: this.#states, keyOf, create, add }
    return generated<(batch: readonly unknown[]) => void>(LOOP, args) ?? this.#adder(keyOf, create, add)
  }

  /** The state of a key, to be replaced by what `change` gives. */
  update(key: Key, change: (state: unknown, isNew: boolean) => unknown): void {
    const at = this.#table.find(key)
    const isNew = at === this.#states.length
    this.#states[at] = change(this.#states[at], isNew)
  }

  *[Symbol.iterator](): Generator<readonly [key: Key, state: unknown]> {
    for (const [at, state] of this.#states.entries()) yield [this.#table.keys[at] as Key, state]
  }

  clear(): void {
    this.#table.clear()
    this.#states.length = 0
  }

  /** The clear version of {@link LOOP}. */
  #adder(keyOf: (event: unknown) => Key, create: Any['create'], add: Any['add']) {
    return (batch: readonly unknown[]): void => {
      for (const event of batch) this.update(keyOf(event), (state, isNew) => add(isNew ? create() : state, event))
    }
  }
}

const LOOP = `return (batch) => {
  for (let i = 0; i < batch.length; i += 1) {
    const event = batch[i]
    const at = table.find(keyOf(event))
    const state = states[at]
    if (at === states.length) states.push(add(create(), event))
    else {
      const after = add(state, event)
      if (after !== state) states[at] = after
    }
  }
}`

// The states of keys, for aggregations without windows.

import type { Aggregate } from '../../aggregate/aggregate.ts'
import { generated } from '../../base/generated.ts'
import type { Key } from '../../base/hash.ts'
import { KeyTable } from '../../base/key-table.ts'
import type { Aggregating } from '../plan.ts'

/** An aggregate of unknown types. */
export type Any = Aggregate<unknown, unknown, unknown>

/** What travels between the two halves of an aggregation: flat, as there may be many of them. */
export type Partial = readonly [key: Key, ...saved: unknown[]]

/** States as plain data: a list per member, in the order of the keys. */
export interface SavedGroups {
  readonly keys: readonly Key[]
  readonly columns: readonly (readonly unknown[])[]
}

type Loop = (batch: readonly unknown[]) => void

/**
 * Key → the states of an aggregation's members.
 *
 * States are stored in columns, one list per member: numbers are then stored unboxed, side by side.
 */
export class Groups {
  readonly #table = new KeyTable()
  readonly #names: readonly string[]
  readonly #members: readonly Any[]
  /** For each member, its states by the numbers of their keys. */
  readonly #columns: readonly unknown[][]

  constructor({ aggregate }: Aggregating) {
    const { members = new Map() } = aggregate as unknown as Any
    this.#names = [...members.keys()]
    this.#members = [...members.values()]
    this.#columns = this.#members.map(() => [])
  }

  get size(): number {
    return this.#table.keys.length
  }

  /** Makes the function that adds a batch to the states of its keys. */
  adder(keyOf: (event: unknown) => Key): Loop {
    return this.adderGenerated(keyOf) ?? this.adderByCalls(keyOf)
  }

  /** The plain version. */
  adderByCalls(keyOf: (event: unknown) => Key): Loop {
    return (batch) => {
      for (const event of batch) {
        this.#update(keyOf(event), (member, state, isNew) => member.add(isNew ? member.create() : state, event))
      }
    }
  }

  /** The fast version, unrolled over the members; undefined if generated code is not allowed. */
  adderGenerated(keyOf: (event: unknown) => Key): Loop | undefined {
    const args: Record<string, unknown> = { table: this.#table, keyOf }
    for (const [i, { create, add }] of this.#members.entries()) {
      args[`s${i}`] = this.#columns[i]
      args[`create${i}`] = create
      args[`add${i}`] = add
    }
    const first = this.#members.map((_, i) => `s${i}.push(add${i}(create${i}(), event))`)
    const further = this.#members.map(
      (_, i) => `const b${i} = s${i}[at], a${i} = add${i}(b${i}, event); if (a${i} !== b${i}) s${i}[at] = a${i}`,
    )
    const body = `return (batch) => {
      for (let i = 0; i < batch.length; i += 1) {
        const event = batch[i]
        const at = table.find(keyOf(event))
        if (at === s0.length) { ${first.join('; ')} }
        else { ${further.join('; ')} }
      }
    }`
    return generated<Loop>(body, args)
  }

  /** Takes a partial result in. */
  merge(partial: Partial): void {
    const at = this.#table.find(partial[0])
    for (let i = 0; i < this.#members.length; i += 1) {
      const { load, merge } = this.#members[i] as Any
      const column = this.#columns[i] as unknown[]
      const other = load(partial[i + 1])
      if (at === column.length) column.push(other)
      else column[at] = merge?.(column[at], other)
    }
  }

  /** Ensures that there is a state, even if nothing came. */
  ensure(key: Key): void {
    this.#update(key, ({ create }, state, isNew) => (isNew ? create() : state))
  }

  partialOf(at: number): Partial {
    const partial: [key: Key, ...saved: unknown[]] = [this.keyOf(at)]
    for (let i = 0; i < this.#members.length; i += 1) partial.push(this.#members[i]?.save(this.#columns[i]?.[at]))
    return partial
  }

  /** The results of one key, put into `row` by their names. */
  resultOf(at: number, row: Record<string, unknown>): Record<string, unknown> {
    for (let i = 0; i < this.#members.length; i += 1) {
      row[this.#names[i] as string] = this.#members[i]?.result(this.#columns[i]?.[at])
    }
    return row
  }

  /** All states, as plain data. */
  snapshot(): SavedGroups {
    const columns = this.#members.map(({ save }, i) => (this.#columns[i] as unknown[]).map(save))
    return { keys: [...this.#table.keys], columns }
  }

  /** Takes the states of keys that `owns` selects. */
  restore({ keys, columns }: SavedGroups, owns: (key: Key) => boolean): void {
    for (const [from, key] of keys.entries()) {
      if (!owns(key)) continue
      const at = this.#table.find(key)
      for (let i = 0; i < this.#members.length; i += 1) {
        const column = this.#columns[i] as unknown[]
        column[at] = this.#members[i]?.load(columns[i]?.[from])
      }
    }
  }

  keyOf(at: number): Key {
    return this.#table.keys[at] as Key
  }

  clear(): void {
    this.#table.clear()
    for (const column of this.#columns) column.length = 0
  }

  #update(key: Key, change: (member: Any, state: unknown, isNew: boolean) => unknown): void {
    const at = this.#table.find(key)
    for (let i = 0; i < this.#members.length; i += 1) {
      const column = this.#columns[i] as unknown[]
      column[at] = change(this.#members[i] as Any, column[at], at === column.length)
    }
  }
}

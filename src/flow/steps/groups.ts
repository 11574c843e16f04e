// The states of keys, for aggregations without windows.

import { fieldsReadBy } from '../../base/field.ts'
import { generated } from '../../base/generated.ts'
import type { Key } from '../../base/hash.ts'
import { KeyTable } from '../../base/key-table.ts'
import type { Batch } from '../../connect/batch.ts'
import { ColumnBatch } from '../../connect/column-batch.ts'
import type { Aggregating } from '../plan.ts'
import { KeyColumns } from './key-columns.ts'
import { MemberStates } from './member-states.ts'

/** What travels between the two halves of an aggregation: flat, as there may be many of them. */
export type Partial = readonly [key: Key, ...saved: unknown[]]

/** States as plain data: a list per member, in the order of the keys. */
export interface SavedGroups {
  readonly keys: readonly Key[]
  readonly columns: readonly (readonly unknown[])[]
}

type Loop = (events: readonly unknown[]) => void

/** Key → the states of an aggregation's members. */
export class Groups {
  readonly #table = new KeyTable()
  #keys: KeyColumns | undefined
  readonly #states: MemberStates

  constructor(operator: Aggregating) {
    this.#states = new MemberStates(operator)
  }

  get size(): number {
    return this.#table.keys.length
  }

  /** Makes the function that adds a batch to the states of its keys: by fields, if it has them and nothing else is read. */
  adder(keyOf: (event: unknown) => Key): (batch: Batch) => void {
    const add = this.adderGenerated(keyOf) ?? this.adderByCalls(keyOf)
    const byColumn = this.#adderByColumn(keyOf)
    return (batch) => {
      if (batch instanceof ColumnBatch && batch.isByField && byColumn?.(batch) === true) return
      add(batch.values())
    }
  }

  #adderByColumn(keyOf: (event: unknown) => Key): ((batch: ColumnBatch<unknown>) => boolean) | undefined {
    const names = fieldsReadBy(keyOf)
    if (names === undefined || !this.#states.areByField) return undefined
    const keys = new KeyColumns(names, this.#table)
    this.#keys = keys
    const add = this.#states.adder()
    return (batch) => {
      const values = this.#states.valuesOf(batch)
      const numbers = values && keys.numbersOf(batch)
      if (values === undefined || numbers === undefined) return false
      add(numbers, values)
      return true
    }
  }

  /** The plain version. */
  adderByCalls(keyOf: (event: unknown) => Key): Loop {
    const { members } = this.#states
    return (events) => {
      for (const event of events) {
        this.#states.update(this.#table.find(keyOf(event)), (m, state) => members[m]?.add(state, event))
      }
    }
  }

  /** The fast version; undefined if generated code is not allowed. */
  adderGenerated(keyOf: (event: unknown) => Key): Loop | undefined {
    const { args, text } = this.#states.loopOf(
      this.#states.members.map(() => 'event'),
      ({ add }) => add,
    )
    const body = `return (events) => {
      for (let i = 0; i < events.length; i += 1) {
        const event = events[i]
        const at = table.find(keyOf(event))
        ${text}
      }
    }`
    return generated<Loop>(body, { ...args, table: this.#table, keyOf })
  }

  /** Takes a partial result in. */
  merge(partial: Partial): void {
    const at = this.#table.find(partial[0])
    const { members, columns } = this.#states
    for (let m = 0; m < members.length; m += 1) {
      const { load, merge } = members[m] as (typeof members)[number]
      const column = columns[m] as unknown[]
      const other = load(partial[m + 1])
      if (at === column.length) column.push(other)
      else column[at] = merge?.(column[at], other)
    }
  }

  /** Ensures that there is a state, even if nothing came. */
  ensure(key: Key): void {
    this.#states.update(this.#table.find(key), (_, state) => state)
  }

  partialOf(at: number): Partial {
    const { members, columns } = this.#states
    const partial: [key: Key, ...saved: unknown[]] = [this.keyOf(at)]
    for (let m = 0; m < members.length; m += 1) partial.push(members[m]?.save(columns[m]?.[at]))
    return partial
  }

  /** The results of one key, put into `row` by their names. */
  resultOf(at: number, row: Record<string, unknown>): Record<string, unknown> {
    const { names, members, columns } = this.#states
    for (let m = 0; m < members.length; m += 1) row[names[m] as string] = members[m]?.result(columns[m]?.[at])
    return row
  }

  /** All states, as plain data. */
  snapshot(): SavedGroups {
    const { members, columns } = this.#states
    return {
      keys: [...this.#table.keys],
      columns: members.map(({ save }, m) => (columns[m] as unknown[]).map(save)),
    }
  }

  /** Takes the states of keys that `owns` selects. */
  restore({ keys, columns }: SavedGroups, owns: (key: Key) => boolean): void {
    const { members } = this.#states
    for (const [from, key] of keys.entries()) {
      if (owns(key)) this.#states.update(this.#table.find(key), (m) => members[m]?.load(columns[m]?.[from]))
    }
  }

  keyOf(at: number): Key {
    return this.#table.keys[at] as Key
  }

  clear(): void {
    this.#table.clear()
    this.#keys?.clear()
    this.#states.clear()
  }
}

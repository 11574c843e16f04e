// Folds events of tumbling windows by their fields, before the windows themselves take what came of them.

import { fieldsReadBy } from '../../base/field.ts'
import type { Key } from '../../base/hash.ts'
import { KeyTable } from '../../base/key-table.ts'
import { PairTable } from '../../base/pair-table.ts'
import type { Batch } from '../../connect/batch.ts'
import { ColumnBatch } from '../../connect/column-batch.ts'
import type { WindowPartial } from '../../window/assigner.ts'
import { canCombine } from '../../window/combiner.ts'
import type { Aggregating } from '../plan.ts'
import { KeyColumns } from './key-columns.ts'
import { MemberStates } from './member-states.ts'
import { timesOf } from './times.ts'

/** Windows further than this from the first one are not numbered. */
const FURTHEST = 2 ** 30

/**
 * A table by key and window over the states of an aggregation.
 *
 * It holds what came since it was last drained, in the order in which keys came into windows: handed on before a mark
 * passes, it leads to the panes that the events would lead to.
 */
export class ColumnWindows {
  readonly #sizeMs: number
  readonly #offsetMs: number
  readonly #at: (event: never) => unknown
  readonly #table = new KeyTable()
  readonly #keys: KeyColumns
  readonly #pairs = new PairTable()
  readonly #states: MemberStates
  readonly #add: ReturnType<MemberStates['adder']>
  /** By number of a pair: its key's number, the start of its window, and how many events it has. */
  #keyOf: number[] = []
  #starts: number[] = []
  #events: number[] = []
  /** The start of a window from which others are counted. */
  #baseMs: number | undefined

  constructor(operator: Aggregating, names: readonly string[]) {
    const { window } = operator
    if (window?.kind !== 'tumbling') throw new TypeError(`${operator.name} has no tumbling windows`)
    this.#sizeMs = window.sizeMs
    this.#offsetMs = window.offsetMs
    this.#at = window.at
    this.#keys = new KeyColumns(names, this.#table)
    this.#states = new MemberStates(operator)
    this.#add = this.#states.adder()
  }

  /** How many partial results it holds. */
  get size(): number {
    return this.#starts.length
  }

  /**
   * Folds the events of a batch whose windows end after `watermarkMs`.
   *
   * @returns the indices of the others; undefined if it has taken none, as they cannot be read by their fields
   */
  add(batch: Batch, watermarkMs: number): readonly number[] | undefined {
    if (!(batch instanceof ColumnBatch) || !batch.isByField) return undefined
    const times = timesOf(this.#at, batch)
    const values = times && this.#states.valuesOf(batch)
    const keys = values && this.#keys.numbersOf(batch)
    if (times === undefined || values === undefined || keys === undefined) return undefined
    const left: number[] = []
    const numbers = this.#numbersOf(keys, times, watermarkMs, left)
    if (left.length === 0) this.#add(numbers, values)
    else this.#addSome(numbers, values, left)
    return left
  }

  /** Returns what it holds, in the order of arrival, and forgets it. */
  drain(): WindowPartial<unknown>[] {
    const partials = this.#starts.map((startMs, at): WindowPartial<unknown> => {
      const key = this.#table.keys[this.#keyOf[at] as number] as Key
      return {
        key,
        startMs,
        endMs: startMs + this.#sizeMs,
        acc: this.#states.at(at),
        events: this.#events[at] as number,
      }
    })
    this.#pairs.clear()
    this.#states.clear()
    this.#keys.clear()
    this.#keyOf = []
    this.#starts = []
    this.#events = []
    return partials
  }

  /** The number of each event's key and window; -1 for those that are left. */
  #numbersOf(keys: Int32Array, times: Float64Array, watermarkMs: number, left: number[]): Int32Array {
    const [sizeMs, offsetMs] = [this.#sizeMs, this.#offsetMs]
    const numbers = new Int32Array(keys.length)
    let startMs = Number.NaN
    let place = 0
    for (let i = 0; i < keys.length; i += 1) {
      const timeMs = times[i] as number
      if (!(timeMs >= startMs && timeMs < startMs + sizeMs)) {
        startMs = Math.floor((timeMs - offsetMs) / sizeMs) * sizeMs + offsetMs
        this.#baseMs ??= startMs
        place = Math.round((startMs - this.#baseMs) / sizeMs)
      }
      if (startMs + sizeMs <= watermarkMs || Math.abs(place) > FURTHEST) {
        left.push(i)
        numbers[i] = -1
        continue
      }
      const key = keys[i] as number
      const number = this.#pairs.find(key, place)
      if (number === this.#starts.length) {
        this.#keyOf.push(key)
        this.#starts.push(startMs)
        this.#events.push(0)
      }
      this.#events[number] = (this.#events[number] as number) + 1
      numbers[i] = number
    }
    return numbers
  }

  #addSome(numbers: Int32Array, values: readonly (ArrayLike<unknown> | undefined)[], left: readonly number[]): void {
    const isLeft = new Set(left)
    const rows = Array.from(numbers.keys()).filter((row) => !isLeft.has(row))
    this.#add(
      numbers.filter((number) => number >= 0),
      values.map((column) => column && rows.map((row) => column[row])),
    )
  }
}

/** A table for an aggregation whose key, time and members are fields; undefined for any other. */
export function columnWindows(operator: Aggregating): ColumnWindows | undefined {
  const { key, window, aggregate } = operator
  const names = key === undefined ? [] : fieldsReadBy(key)
  if (names === undefined || window?.kind !== 'tumbling' || fieldsReadBy(window.at)?.length !== 1) return undefined
  if (window.triggers.length > 0 || !canCombine(window, aggregate as never)) return undefined
  return new MemberStates(operator).areByField ? new ColumnWindows(operator, names) : undefined
}

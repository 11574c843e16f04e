// join: pairs of events with equal keys, as soon as their second half has come.

import type { Key } from '../../base/hash.ts'
import { plainKey } from '../../base/key-table.ts'
import { overLimit } from '../../base/over-limit.ts'
import { type Batch, mapped, oneOf } from '../../connect/batch.ts'
import { timeOf } from '../../window/event-time.ts'
import type { At, WindowSpec } from '../../window/window.ts'
import type { Joining } from '../plan.ts'
import { giveResults, type MakeStep, type Port, passing, type Step, type StepContext } from '../step.ts'

export type Side = 'left' | 'right'

/** An event with the side that it came from. */
export interface Sided {
  readonly side: Side
  readonly value: unknown
}

/** Marks every event with its side: the last step before a join. */
export function sided(side: Side): MakeStep {
  return (next) =>
    passing(next, (batch) => {
      const values = batch.values().map((value): Sided => ({ side, value }))
      next.events(mapped(batch, values))
    })
}

/** The key by which an event goes to its stage. */
export function sidedKey({ left, right }: Joining): (event: Sided) => Key {
  return ({ side, value }) => plainKey(((side === 'left' ? left : right) as (value: unknown) => Key)(value))
}

type Pair = readonly [left: unknown, right: unknown]

interface Half {
  readonly value: unknown
  isPaired: boolean
}

/** A held event, as it is stored. */
interface SavedHalf extends Half {
  readonly side: Side
  readonly key: Key
}

/** Everything that a join holds, as it is stored. */
interface SavedJoin {
  readonly watermark: number
  readonly windows: readonly { readonly endMs: number; readonly halves: readonly SavedHalf[] }[]
}

/** One window's events of both sides, by key. */
class Table {
  readonly #sides: Record<Side, Map<Key, Half[]>> = { left: new Map(), right: new Map() }

  /** Keeps an event, and gives the pairs that it completes. */
  add(key: Key, { side, value }: Sided, out: Pair[]): void {
    const half: Half = { value, isPaired: false }
    const own = this.#sides[side].get(key)
    if (own === undefined) this.#sides[side].set(key, [half])
    else own.push(half)
    for (const other of this.#sides[side === 'left' ? 'right' : 'left'].get(key) ?? []) {
      half.isPaired = true
      other.isPaired = true
      out.push(side === 'left' ? [value, other.value] : [other.value, value])
    }
  }

  /** All of it, as plain data. */
  snapshot(): SavedHalf[] {
    const saved: SavedHalf[] = []
    for (const side of ['left', 'right'] as const) {
      for (const [key, halves] of this.#sides[side]) {
        for (const { value, isPaired } of halves) saved.push({ side, key, value, isPaired })
      }
    }
    return saved
  }

  restore({ side, key, value, isPaired }: SavedHalf): void {
    const own = this.#sides[side].get(key)
    if (own === undefined) this.#sides[side].set(key, [{ value, isPaired }])
    else own.push({ value, isPaired })
  }

  /** The events that found no partner, each with an empty other side. */
  unpaired(side: Side, out: Pair[]): void {
    for (const halves of this.#sides[side].values()) {
      for (const { value, isPaired } of halves) {
        if (!isPaired) out.push(side === 'left' ? [value, undefined] : [undefined, value])
      }
    }
  }
}

/** What a join needs to know about windows: which one an event is in, and when one is over. */
export interface JoinWindows {
  /** The end of the event's window; infinite without windows. */
  readonly endOf: (value: unknown) => number
  /** How long after its end a window stays open, in event time. */
  readonly latenessMs: number
}

/** What a join needs to know of its window. */
export function joinWindows(window: WindowSpec<never> | undefined): JoinWindows {
  if (window?.kind !== 'tumbling') return NO_WINDOWS
  const { sizeMs, offsetMs, allowedLatenessMs: latenessMs } = window
  const at = window.at as At<unknown>
  const endOf = (value: unknown): number =>
    (Math.floor((timeOf(at, value) - offsetMs) / sizeMs) + 1) * sizeMs + offsetMs
  return { endOf, latenessMs }
}

const NO_WINDOWS: JoinWindows = { endOf: () => Number.POSITIVE_INFINITY, latenessMs: 0 }

export function join(operator: Joining): MakeStep {
  const windows = joinWindows(operator.window)
  return (next, context) => new Join(operator, windows, next, context)
}

class Join implements Step {
  readonly #operator: Joining
  readonly #windows: JoinWindows
  readonly #next: Port
  readonly #context: StepContext
  readonly #keyOf: (event: Sided) => Key
  /** End of the window → its events. */
  readonly #tables = new Map<number, { readonly table: Table; events: number }>()
  #held = 0
  #watermark = Number.NEGATIVE_INFINITY

  constructor(operator: Joining, windows: JoinWindows, next: Port, context: StepContext) {
    this.#operator = operator
    this.#windows = windows
    this.#next = next
    this.#context = context
    this.#keyOf = sidedKey(operator)
  }

  events(batch: Batch): void {
    const out: Pair[] = []
    for (const [index, event] of (batch.values() as readonly Sided[]).entries()) {
      const endMs = this.#windows.endOf(event.value)
      if (this.#isOver(endMs)) this.#context.late(this.#operator.name, oneOf(batch, index, event.value), 0)
      else this.#add(endMs, this.#keyOf(event), event, out)
    }
    this.#give(out)
  }

  watermark(time: number): void {
    this.#watermark = time
    const over = [...this.#tables.keys()].filter((endMs) => this.#isOver(endMs)).sort((a, b) => a - b)
    for (const endMs of over) this.#close(endMs)
    this.#next.watermark(time)
  }

  end(): void {
    for (const endMs of [...this.#tables.keys()].sort((a, b) => a - b)) this.#close(endMs)
  }

  snapshot(): SavedJoin {
    const windows = [...this.#tables].map(([endMs, { table }]) => ({ endMs, halves: table.snapshot() }))
    return { watermark: this.#watermark, windows }
  }

  restore(saved: readonly unknown[]): void {
    for (const { watermark, windows } of saved as readonly SavedJoin[]) {
      this.#watermark = Math.max(this.#watermark, watermark)
      for (const { endMs, halves } of windows) {
        for (const half of halves) if (this.#context.owns(half.key)) this.#windowAt(endMs).table.restore(half)
      }
    }
    this.#held = 0
    for (const window of this.#tables.values()) {
      window.events = window.table.snapshot().length
      this.#held += window.events
    }
  }

  #isOver(endMs: number): boolean {
    return endMs + this.#windows.latenessMs <= this.#watermark
  }

  #add(endMs: number, key: Key, event: Sided, out: Pair[]): void {
    const { name, maxHeld } = this.#operator
    const window = this.#windowAt(endMs)
    window.table.add(key, event, out)
    window.events += 1
    this.#held += 1
    if (this.#held <= maxHeld) return
    const why = `. It holds ${this.#sharesText()}: a side that is read faster does not wait for the other`
    throw overLimit({ what: 'event', operator: name, option: 'maxHeld', limit: maxHeld, why })
  }

  #sharesText(): string {
    let [left, right] = [0, 0]
    for (const { table } of this.#tables.values()) {
      for (const { side } of table.snapshot()) {
        if (side === 'left') left += 1
        else right += 1
      }
    }
    return `${left.toLocaleString('en-US')} of the left side and ${right.toLocaleString('en-US')} of the right`
  }

  #windowAt(endMs: number): { readonly table: Table; events: number } {
    const found = this.#tables.get(endMs)
    if (found !== undefined) return found
    const window = { table: new Table(), events: 0 }
    this.#tables.set(endMs, window)
    return window
  }

  #close(endMs: number): void {
    const window = this.#tables.get(endMs)
    if (window === undefined) return
    this.#tables.delete(endMs)
    this.#held -= window.events
    const out: Pair[] = []
    const { mode } = this.#operator
    if (mode === 'left' || mode === 'full') window.table.unpaired('left', out)
    if (mode === 'right' || mode === 'full') window.table.unpaired('right', out)
    this.#give(out)
  }

  #give(pairs: readonly Pair[]): void {
    const { pair } = this.#operator
    giveResults(this.#next, pair === undefined ? pairs : pairs.map(([left, right]) => pair(left, right)))
  }
}

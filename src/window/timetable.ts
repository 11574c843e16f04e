// Which window is due next, by event time (or, for windows of the clock, by that).

import { Heap } from '../base/heap.ts'
import type { Group } from './open.ts'

/**
 * The times at which windows fire: early ones, the end, the closing.
 *
 * A window whose end grows stays where it is in the heap; only when its old time comes does it get its new one. Until
 * then it ranks too early, never too late.
 */
export class Timetable<A> {
  readonly #heap = new Heap<Group<A>>(isBefore)
  readonly #latenessMs: number
  readonly #holdMs: number
  /** 0 if nothing fires early. */
  readonly #earlyMs: number
  /** How many windows in the heap are gone: they are removed when they are the majority. */
  #gone = 0

  /** @param holdMs - how long after its time a window is closed */
  constructor(latenessMs: number, earlyMs: number, holdMs = 0) {
    this.#latenessMs = latenessMs
    this.#holdMs = holdMs
    this.#earlyMs = earlyMs
  }

  /** When to check again: never later than the next window is due. */
  get nextMs(): number {
    return this.#heap.peek()?.dueMs ?? Number.POSITIVE_INFINITY
  }

  /** When a window passes that ends at `endMs`: later if it is held; nothing is accepted after that. */
  passMs(endMs: number): number {
    return this.#latenessMs === 0 ? endMs + this.#holdMs : endMs
  }

  /** Adds a window; it must not be in the timetable. */
  add(group: Group<A>): void {
    group.dueMs = this.#dueOf(group)
    group.rankMs = group.endMs
    if (Number.isFinite(group.dueMs)) this.#heap.push(group)
  }

  /** Takes out the next window that is due by `timeMs`, if any is. */
  take(timeMs: number): Group<A> | undefined {
    while (this.nextMs <= timeMs) {
      const group = this.#heap.pop() as Group<A>
      if (group.isGone) this.#gone -= 1
      else if (group.endMs > group.rankMs || this.#dueOf(group) > group.dueMs) this.add(group)
      else return group
    }
    return undefined
  }

  /** Nothing is due any more: at the end everything is closed in another order. */
  clear(): void {
    this.#heap.retain(() => false)
  }

  /** A window that is still in the timetable is closed, or merged into another. */
  drop(group: Group<A>): void {
    group.isGone = true
    this.#gone += 1
    if (this.#gone < 64 || this.#gone * 2 < this.#heap.size) return
    this.#heap.retain((other) => !other.isGone)
    this.#gone = 0
  }

  #dueOf({ isPast, startMs, endMs, steppedMs }: Group<A>): number {
    if (isPast) return endMs + this.#latenessMs + this.#holdMs
    const passMs = this.passMs(endMs)
    if (this.#earlyMs === 0) return passMs
    const steps = Math.max(0, Math.floor((steppedMs - startMs) / this.#earlyMs)) + 1
    return Math.min(startMs + steps * this.#earlyMs, passMs)
  }
}

function isBefore<A>(a: Group<A>, b: Group<A>): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs
  return a.rankMs === b.rankMs ? a.order < b.order : a.rankMs < b.rankMs
}

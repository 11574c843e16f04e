// What happens to windows as time advances: they fire early, pass, and close; and at the end.

import { Heap } from '../base/heap.ts'
import type { WindowAssigner, WindowState } from './assigner.ts'
import type { Group } from './open.ts'
import type { Emit } from './pane.ts'
import type { FiredBy } from './trigger.ts'
import type { WindowSpec } from './window.ts'

const CLOSING: FiredBy = { kind: 'closing' }
const END: FiredBy = { kind: 'end' }

/** Advances the time. */
export class WatermarkProgress<T, A> {
  readonly #kind: WindowSpec<T>['kind']
  readonly #early: FiredBy | undefined
  readonly #state: WindowState<T, A>
  readonly #assigner: WindowAssigner<T, A>

  constructor(spec: WindowSpec<T>, state: WindowState<T, A>, assigner: WindowAssigner<T, A>) {
    this.#kind = spec.kind
    this.#early = spec.triggers.find((trigger) => trigger.kind === 'early')
    this.#state = state
    this.#assigner = assigner
  }

  /** Time has advanced to `timeMs`: fires, for the reason `passing`, what is due by then, in order. */
  advance(timeMs: number, passing: FiredBy, emit: Emit<A>): void {
    const { openings, timetable } = this.#state
    if (timeMs <= this.#state.timeMs) return
    this.#state.timeMs = timeMs
    openings.fireLate(emit)
    if (timetable.nextMs > timeMs) return
    for (let group = timetable.take(timeMs); group !== undefined; group = timetable.take(timeMs)) {
      if (group.isPast) this.#closeBy(CLOSING, group, emit)
      else if (group.dueMs < timetable.passMs(group.endMs)) this.#step(group, emit)
      else this.#pass(passing, group, emit)
    }
  }

  /** Fires early what changed; nothing after its end, even if the window is held open. */
  #step(group: Group<A>, emit: Emit<A>): void {
    const isOver = group.dueMs >= group.endMs
    group.steppedMs = this.#state.timeMs
    this.#state.timetable.add(group)
    if (isOver) return
    for (const open of group.members.values()) {
      if (open.isChanged && this.#early !== undefined) this.#state.openings.fire(open, this.#early, false, emit)
    }
  }

  /** The end of a window has passed: it fires, and closes unless late events are allowed. */
  #pass(passing: FiredBy, group: Group<A>, emit: Emit<A>): void {
    this.#assigner.follow?.(group, Number.POSITIVE_INFINITY)
    if (this.#state.latenessMs === 0) return this.#closeBy(passing, group, emit)
    group.isPast = true
    this.#state.timetable.add(group)
    for (const open of group.members.values()) this.#state.openings.fire(open, passing, false, emit)
  }

  #closeBy(trigger: FiredBy, group: Group<A>, emit: Emit<A>): void {
    this.#close(group)
    for (const open of group.members.values()) this.#state.openings.fire(open, trigger, true, emit)
  }

  #close(group: Group<A>, isEnd = false): void {
    this.#assigner.close(group, isEnd)
    group.isGone = true
  }

  /** Closes everything that is open. */
  end(emit: Emit<A>): void {
    const heap = new Heap<Group<A>>((a, b) => (a.endMs === b.endMs ? a.order < b.order : a.endMs < b.endMs))
    for (const group of this.#assigner.groups()) heap.push(group)
    const lastEndMs = this.#lastEndMs()
    // What is closed is released at once: its results take as much memory.
    this.#state.timetable.clear()
    for (let group = heap.pop(); group !== undefined; group = heap.pop()) {
      const next = group.isPast ? undefined : this.#assigner.follow?.(group, lastEndMs)
      if (next !== undefined) heap.push(next)
      const isHeard = this.#isHeard(group, lastEndMs)
      for (const open of group.members.values()) {
        if (isHeard || open.events > 0) this.#state.openings.fire(open, END, true, emit)
      }
      this.#close(group, true)
    }
  }

  /** Whether a window emits a pane at the end even for a key of which it holds no event. */
  #isHeard({ isPast, endMs }: Group<A>, lastEndMs: number): boolean {
    if (this.#kind === 'count') return false
    return this.#kind === 'global' || isPast || endMs <= lastEndMs
  }

  /** The end of the last window that holds events. */
  #lastEndMs(): number {
    let last = Number.NEGATIVE_INFINITY
    for (const { endMs, members } of this.#assigner.groups()) {
      if (endMs > last && [...members.values()].some(({ events }) => events > 0)) last = endMs
    }
    return last
  }
}

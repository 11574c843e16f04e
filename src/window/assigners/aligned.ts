// Windows on a grid: global, tumbling, sliding, and those of the clock. One group holds a window of all keys.

import type { Key } from '../../base/hash.ts'
import type { RestoredGroup, Taken, WindowAssigner, WindowPartial, WindowState } from '../assigner.ts'
import { type Group, groupOf, type Open } from '../open.ts'
import type { Emit } from '../pane.ts'

interface AlignedGroup<A> extends Group<A> {
  readonly members: Map<Key, Open<A>>
}

/** A grid of windows: each `sizeMs` long, a new one every `everyMs`, from `offsetMs` on. */
export interface Grid {
  readonly sizeMs: number
  readonly everyMs: number
  readonly offsetMs: number
  readonly emptyWindows: number
}

/** Windows on a grid. An event of a known key in an open window costs two look-ups and the fold. */
export class Aligned<T, A> implements WindowAssigner<T, A> {
  readonly #state: WindowState<T, A>
  readonly #grid: Grid
  readonly #overlaps: boolean
  /** Start → window. */
  readonly #groups = new Map<number, AlignedGroup<A>>()
  /** The window of the last event: most events go to the same window as the one before. */
  #last: AlignedGroup<A> | undefined

  constructor(state: WindowState<T, A>, grid: Grid) {
    this.#state = state
    this.#grid = grid
    this.#overlaps = grid.everyMs < grid.sizeMs
  }

  add(key: Key, event: T, timeMs: number, emit: Emit<A>): Taken {
    if (this.#overlaps) return this.#addToAll(key, event, timeMs, emit)
    let group = this.#last
    if (group === undefined || timeMs < group.startMs || timeMs >= group.endMs) {
      group = this.#groupAt(lastStart(this.#grid, timeMs))
      if (group === undefined) return 'none'
      this.#last = group
    }
    this.#enter(group, key, event, emit)
    return 'all'
  }

  merge({ key, startMs, acc, events }: WindowPartial<A>, emit: Emit<A>): Taken {
    const { fold, openings } = this.#state
    const group = this.#groupAt(startMs)
    if (group === undefined) return 'none'
    let open = group.members.get(key)
    const before = open?.events ?? 0
    if (open === undefined) open = this.#open(group, key, acc, events)
    else {
      open.acc = fold.merge?.(open.acc, acc) as A
      open.events += events
    }
    openings.added(open, before, emit)
    return 'all'
  }

  groups(): Iterable<Group<A>> {
    return this.#groups.values()
  }

  close(group: Group<A>): void {
    const { startMs, members } = group as AlignedGroup<A>
    this.#groups.delete(startMs)
    this.#state.openings.closed(members.size)
    if (this.#last === group) this.#last = undefined
  }

  ensure(key: Key): void {
    const group = this.#groupAt(lastStart(this.#grid, this.#state.timeMs))
    if (group !== undefined && !group.members.has(key)) this.#open(group, key, this.#state.fold.create(), 0)
  }

  follow(group: Group<A>, untilMs: number): Group<A> | undefined {
    const { emptyWindows, everyMs, sizeMs } = this.#grid
    const startMs = group.startMs + everyMs
    if (emptyWindows === 0 || startMs + sizeMs > untilMs) return undefined
    let next = this.#groups.get(startMs)
    const isNew = next === undefined
    for (const { key, events, empties } of (group as AlignedGroup<A>).members.values()) {
      const count = events === 0 ? empties : 0
      if (count >= emptyWindows) continue
      next ??= this.#newGroup(startMs, false)
      if (!next.members.has(key)) this.#open(next, key, this.#state.fold.create(), 0, count + 1)
    }
    return isNew ? next : undefined
  }

  restore({ members, ...given }: RestoredGroup<A>): void {
    const group: AlignedGroup<A> = groupOf({ ...given, members: new Map<Key, Open<A>>() })
    this.#groups.set(group.startMs, group)
    this.#state.timetable.add(group)
    for (const { key, acc, ...rest } of members) {
      const open = this.#state.openings.open(key, group, acc, rest)
      group.members.set(key, open)
      this.#state.openings.restored(open)
    }
  }

  /** Assigns an event to all windows that contain its time, the earliest first. */
  #addToAll(key: Key, event: T, timeMs: number, emit: Emit<A>): Taken {
    const { everyMs } = this.#grid
    const lastMs = lastStart(this.#grid, timeMs)
    let taken = 0
    let refused = 0
    for (let startMs = firstStart(this.#grid, timeMs); startMs <= lastMs; startMs += everyMs) {
      const group = this.#groupAt(startMs)
      if (group === undefined) refused += 1
      else {
        this.#enter(group, key, event, emit)
        taken += 1
      }
    }
    if (refused === 0) return 'all'
    return taken > 0 ? 'some' : 'none'
  }

  #enter(group: AlignedGroup<A>, key: Key, event: T, emit: Emit<A>): void {
    const { fold, openings } = this.#state
    let open = group.members.get(key)
    let before = 0
    if (open === undefined) open = this.#open(group, key, fold.add(fold.create(), event), 1)
    else {
      before = open.events
      open.acc = fold.add(open.acc, event)
      open.events = before + 1
    }
    openings.added(open, before, emit)
  }

  #open(group: AlignedGroup<A>, key: Key, acc: A, events: number, empties = 0): Open<A> {
    const open = this.#state.openings.open(key, group, acc, { events, empties })
    group.members.set(key, open)
    return open
  }

  /** The window that starts at `startMs`; undefined if it is closed. */
  #groupAt(startMs: number): AlignedGroup<A> | undefined {
    const group = this.#groups.get(startMs)
    if (group !== undefined) return group
    const endMs = this.#endOf(startMs)
    const { timeMs, latenessMs } = this.#state
    return endMs + latenessMs <= timeMs ? undefined : this.#newGroup(startMs, endMs <= timeMs)
  }

  #newGroup(startMs: number, isPast: boolean): AlignedGroup<A> {
    const { timeMs: steppedMs, openings, timetable } = this.#state
    const id = Number.isFinite(startMs) ? startMs : 'global'
    const endMs = this.#endOf(startMs)
    const order = openings.nextOrder()
    const members = new Map<Key, Open<A>>()
    const group: AlignedGroup<A> = groupOf({ id, startMs, endMs, order, isPast, steppedMs, members })
    this.#groups.set(startMs, group)
    timetable.add(group)
    return group
  }

  #endOf(startMs: number): number {
    return Number.isFinite(startMs) ? startMs + this.#grid.sizeMs : Number.POSITIVE_INFINITY
  }
}

/** The start of the earliest window that contains a time. */
export function firstStart({ sizeMs, everyMs, offsetMs }: Grid, timeMs: number): number {
  return Math.floor((timeMs - sizeMs - offsetMs) / everyMs) * everyMs + offsetMs + everyMs
}

/** The start of the latest window that contains a time. */
export function lastStart({ everyMs, offsetMs }: Grid, timeMs: number): number {
  if (everyMs === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY
  return Math.floor((timeMs - offsetMs) / everyMs) * everyMs + offsetMs
}

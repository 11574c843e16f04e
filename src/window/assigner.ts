// Assigns events to windows: the contract.

import type { Key } from '../base/hash.ts'
import type { Fold } from './fold.ts'
import type { Group, Open } from './open.ts'
import type { Openings } from './openings.ts'
import type { Emit } from './pane.ts'
import type { Timetable } from './timetable.ts'

/** What the assigners share with the machine. */
export interface WindowState<T, A> {
  readonly fold: Fold<T, A>
  readonly openings: Openings<T, A>
  readonly timetable: Timetable<A>
  readonly latenessMs: number
  /** How far event time has advanced; for windows of the clock, the clock. */
  timeMs: number
}

/** How many of its windows took an event; the others are closed. */
export type Taken = 'all' | 'some' | 'none'

/** The state of one key and window from a combiner: events that were folded before they came here. */
export interface WindowPartial<A> {
  readonly key: Key
  readonly startMs: number
  readonly endMs: number
  readonly acc: A
  /** How many events are in it. */
  readonly events: number
}

/** One way of assigning events to windows. It holds the open ones. */
export interface WindowAssigner<T, A> {
  add(key: Key, event: T, timeMs: number, emit: Emit<A>): Taken
  /** Takes what a combiner folded; absent if events cannot be combined before they are assigned. */
  merge?(partial: WindowPartial<A>, emit: Emit<A>): Taken
  /** Everything that is open, in no particular order. */
  groups(): Iterable<Group<A>>
  /** A window has fired its last pane. @param isEnd - whether no event follows */
  close(group: Group<A>, isEnd: boolean): void
  /** A window's end has passed: opens the empty one that follows it, if requested; returns it if it is new. */
  follow?(group: Group<A>, untilMs: number): Group<A> | undefined
  /** Opens the window of a key although no event of it came. */
  ensure?(key: Key): void
  /** Key → the end of the last window that was closed, if an event could still be in it. */
  closed?(): Iterable<readonly [key: Key, endMs: number]>
  restoreClosed?(key: Key, endMs: number): void
  /** Restores a window of a snapshot. */
  restore(saved: RestoredGroup<A>): void
}

/** A window as a snapshot stores it. */
export interface RestoredGroup<A> {
  readonly id: number | 'global'
  readonly startMs: number
  readonly endMs: number
  readonly order: number
  readonly isPast: boolean
  readonly steppedMs: number
  readonly members: readonly Omit<Open<A>, 'group' | 'isListed'>[]
}

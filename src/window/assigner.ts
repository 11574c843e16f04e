// Where an event goes: the contract of the ways in which events are put in windows.

import type { Key } from '../base/hash.ts'
import type { Fold } from './fold.ts'
import type { Group, Open } from './open.ts'
import type { Openings } from './openings.ts'
import type { Emit } from './pane.ts'
import type { Timetable } from './timetable.ts'

/** What the ways of placing events share with the machine. */
export interface WindowState<T, A> {
  readonly fold: Fold<T, A>
  readonly openings: Openings<T, A>
  readonly timetable: Timetable<A>
  readonly latenessMs: number
  /** How far event time has come; for windows of the clock, the clock. */
  timeMs: number
}

/** How many of its windows took an event; the others are closed. */
export type Taken = 'all' | 'some' | 'none'

/** The state of one key and window as a combiner made it: events that were folded before they came here. */
export interface WindowPartial<A> {
  readonly key: Key
  readonly startMs: number
  readonly endMs: number
  readonly acc: A
  /** How many events are in it. */
  readonly events: number
}

/** One way of putting events in windows. It holds what is open. */
export interface WindowAssigner<T, A> {
  add(key: Key, event: T, timeMs: number, emit: Emit<A>): Taken
  /** Takes in what a combiner folded; absent where events cannot be combined before they are placed. */
  merge?(partial: WindowPartial<A>, emit: Emit<A>): Taken
  /** All that is open, in no order. */
  groups(): Iterable<Group<A>>
  /** A window has fired its last pane. @param isEnd - whether no event follows */
  close(group: Group<A>, isEnd: boolean): void
  /** A window's end has passed: opens the empty one that follows it, if that is asked for; gives it if it is new. */
  follow?(group: Group<A>, untilMs: number): Group<A> | undefined
  /** Opens the window of a key although no event of it came. */
  ensure?(key: Key): void
  /** Key → the end of the last window that was closed, where an event could still be in it. */
  closed?(): Iterable<readonly [key: Key, endMs: number]>
  restoreClosed?(key: Key, endMs: number): void
  /** Takes in a window of a snapshot. */
  restore(saved: RestoredGroup<A>): void
}

/** A window as a snapshot has it. */
export interface RestoredGroup<A> {
  readonly id: number | 'global'
  readonly startMs: number
  readonly endMs: number
  readonly order: number
  readonly isPast: boolean
  readonly steppedMs: number
  readonly members: readonly Omit<Open<A>, 'group' | 'isListed'>[]
}

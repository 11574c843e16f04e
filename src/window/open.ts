// What is open: one state for each key and window, and windows as groups of them that have their times in common.

import type { Key } from '../base/hash.ts'
import type { PaneWindow } from './pane.ts'
import type { WindowSpec } from './window.ts'

/** The state of one key in one window. */
export interface Open<A> {
  readonly key: Key
  readonly group: Group<A>
  /** Which was opened first: of windows with equal ends it fires first. */
  readonly order: number
  acc: A
  /** How many events are in the window, also those of panes that went out. */
  events: number
  /** How many panes went out. */
  panes: number
  /** Whether anything came since the last pane. */
  isChanged: boolean
  /** Whether it is in the list of those that the next interval fires. */
  isListed: boolean
  /** How many windows without events lie between it and the key's last one with events, itself included. */
  empties: number
}

/** A window: of all keys where windows lie on a grid, else of one key. */
export interface Group<A> {
  /** As panes name it. */
  readonly id: number | 'global'
  readonly startMs: number
  /** The end grows with a session. */
  endMs: number
  readonly order: number
  readonly members: { values(): Iterable<Open<A>> }
  /** Whether the watermark has passed the end: late events are let in until the window closes. */
  isPast: boolean
  /** Whether it is closed, or part of another. */
  isGone: boolean
  /** The watermark up to which early firings are done. */
  steppedMs: number
  /** When it is looked at next, and its end as it was when that was decided: its rank in the timetable. */
  dueMs: number
  rankMs: number
  /** The window as panes name it, as of its last firing. */
  named: PaneWindow | undefined
}

/** What of a group is decided when it is made. */
export type NewGroup<A> = Pick<Group<A>, 'id' | 'startMs' | 'endMs' | 'order' | 'members' | 'isPast' | 'steppedMs'>

export function groupOf<G extends NewGroup<A>, A>(given: G): G & Group<A> {
  return { ...given, isGone: false, dueMs: Number.POSITIVE_INFINITY, rankMs: given.endMs, named: undefined }
}

/** The window as its panes name it. */
export function windowOf<A>(kind: WindowSpec<never>['kind'], group: Group<A>): PaneWindow {
  const { id, startMs, endMs } = group
  if (group.named === undefined || group.named.endMs !== endMs) {
    group.named = (Number.isFinite(endMs) ? { kind, id, startMs, endMs } : { kind, id }) as PaneWindow
  }
  return group.named
}

/** The order in which things fire: by the end of their windows, then as they were opened. */
export function byEnd<A>(a: Open<A>, b: Open<A>): number {
  return a.group.endMs === b.group.endMs ? a.order - b.order : a.group.endMs - b.group.endMs
}

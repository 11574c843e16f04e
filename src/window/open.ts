// What is open: one state per key and window, and windows as groups of them with the same times.

import type { Key } from '../base/hash.ts'
import type { PaneWindow } from './pane.ts'
import type { WindowSpec } from './window.ts'

/** The state of one key in one window. */
export interface Open<A> {
  readonly key: Key
  readonly group: Group<A>
  /** The order of opening: of windows with equal ends, the first opened fires first. */
  readonly order: number
  acc: A
  /** How many events are in the window, including those of emitted panes. */
  events: number
  /** How many panes were emitted. */
  panes: number
  /** Whether anything came since the last pane. */
  isChanged: boolean
  /** Whether it is in the list that the next interval fires. */
  isListed: boolean
  /** How many windows without events lie between it and the key's last one with events, including itself. */
  empties: number
}

/** A window: of all keys for windows on a grid, else of one key. */
export interface Group<A> {
  /** As in panes. */
  readonly id: number | 'global'
  readonly startMs: number
  /** The end grows with a session. */
  endMs: number
  readonly order: number
  readonly members: { values(): Iterable<Open<A>> }
  /** Whether the watermark has passed the end: late events are accepted until the window closes. */
  isPast: boolean
  /** Whether it is closed, or merged into another. */
  isGone: boolean
  /** The watermark up to which early firings are done. */
  steppedMs: number
  /** When it is checked next, and its end as of that decision: its rank in the timetable. */
  dueMs: number
  rankMs: number
  /** The window as in panes, as of its last firing. */
  named: PaneWindow | undefined
}

/** What is decided about a group when it is made. */
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

/** The firing order: by the end of their windows, then by the order of opening. */
export function byEnd<A>(a: Open<A>, b: Open<A>): number {
  return a.group.endMs === b.group.endMs ? a.order - b.order : a.group.endMs - b.group.endMs
}

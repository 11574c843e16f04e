// A pane: one result of one window of one key, and why it came.

import type { Key } from '../base/hash.ts'
import type { FiredBy } from './trigger.ts'
import type { WindowSpec } from './window.ts'

/** Which window: windows of one key are told apart by `id`. */
export interface PaneWindow {
  readonly kind: WindowSpec<never>['kind']
  /** The start in milliseconds; of a count window its number, from 0; of the global window `global`. */
  readonly id: number | 'global'
  /** Absent where the window does not lie in time. */
  readonly startMs?: number
  /** The first millisecond behind the window. */
  readonly endMs?: number
}

/** One result of one window of one key. */
export interface Pane<A> {
  readonly key: Key
  readonly window: PaneWindow
  /** Why it came. */
  readonly trigger: FiredBy
  /** How many panes of this key and window came before. */
  readonly index: number
  /** Whether the window is closed: no pane follows. True for exactly one pane of each key and window. */
  readonly isLast: boolean
  /**
   * The folded state. Under `accumulate`, unless `isLast`, it is the live one: make a result of it before the next call
   * of the machine, and do not keep it.
   */
  readonly value: A
}

/** Takes a pane, at once: it must not call the machine that gives it. */
export type Emit<A> = (pane: Pane<A>) => void

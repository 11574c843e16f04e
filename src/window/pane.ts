// A pane: one result of one window of one key, and why it was emitted.

import type { Key } from '../base/hash.ts'
import type { FiredBy } from './trigger.ts'
import type { WindowSpec } from './window.ts'

export type WindowKind = WindowSpec<never>['kind']

/** A window of time, of one key. */
export interface TimedWindow<Kind = Exclude<WindowKind, 'count' | 'global'>> {
  readonly kind: Kind
  /** Identifies a window of a key: its start in milliseconds. */
  readonly id: number
  /** Epoch milliseconds. */
  readonly startMs: number
  /** The first millisecond after the window. */
  readonly endMs: number
}

/** A window that does not lie in time, of one key. */
export interface UntimedWindow<Kind = 'count' | 'global'> {
  readonly kind: Kind
  /** Identifies a window of a key: the number of a count window, from 0; `global`. */
  readonly id: number | 'global'
  readonly startMs?: never
  readonly endMs?: never
}

/** Which window: windows of one key are identified by `id`. Those of time have a start and an end. */
export type PaneWindow<Kind extends WindowKind = WindowKind> = Kind extends 'count' | 'global'
  ? UntimedWindow<Kind>
  : TimedWindow<Kind>

/** One result of one window of one key. */
export interface Pane<A> {
  readonly key: Key
  readonly window: PaneWindow
  /** Why it was emitted. */
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

/** Takes a pane, at once: it must not call the machine. */
export type Emit<A> = (pane: Pane<A>) => void

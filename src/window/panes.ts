// The machine of windows: events and time go in, panes come out.

import { checkTime } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import { invariant } from '../base/invariant.ts'
import type { Taken, WindowAssigner, WindowPartial, WindowState } from './assigner.ts'
import { timeOf } from './event-time.ts'
import type { Fold } from './fold.ts'
import { byEnd } from './open.ts'
import type { Emit } from './pane.ts'
import { assignerOf, checkFold, describeWindow, isEventTime, windowStateOf } from './place.ts'
import { loadGroup, type PanesSnapshot, read, saveGroup, write } from './snapshot.ts'
import type { FiredBy, Trigger } from './trigger.ts'
import { WatermarkProgress } from './watermark-progress.ts'
import type { At, WindowSpec } from './window.ts'

export type { Emit, Pane, PaneWindow } from './pane.ts'

/** Options of {@link Panes}. */
export interface PanesOptions<T> {
  /** Called with each late event that no window took, and its time. */
  readonly onLate?: (key: Key, event: T, timeMs: number) => void
  /**
   * How much longer windows are open than their lateness: sessions of several inputs wait for events that are not late
   * by their own input. 0 by default.
   */
  readonly holdMs?: number
  /** For errors: `window` by default. */
  readonly operator?: string
}

const CLOCK: FiredBy = { kind: 'clock' }
const WATERMARK: FiredBy = { kind: 'watermark' }

/**
 * Folds events by key and window, and emits a pane whenever a window fires.
 *
 * It reads no clock and keeps no timer: event time comes by {@link watermark}, clock time by {@link tick}. Panes go to
 * `emit` at once, in causal order; `emit` must not call the machine. After a failure, just stop calling: nothing fires
 * by itself.
 *
 * - An event is **late** if the end of its window is `allowedLateness` or more before the watermark when the event
 *   comes. It is counted and passed to `onLate`.
 * - Windows **close** in the order of their ends; for equal ends, in the order of opening. Each key and window has one
 *   last pane.
 *
 * @example
 * const spec = tumbling('1s', (event: { at: number }) => event.at)
 * const panes = new Panes(spec, { create: () => 0, add: (count) => count + 1 })
 * const found: string[] = []
 * const emit = ({ key, window, value }: Pane<number>) => found.push(`${key}@${window.startMs}: ${value}`)
 * panes.add('a', { at: 100 }, emit)
 * panes.add('a', { at: 900 }, emit)
 * panes.add('b', { at: 1100 }, emit)
 * panes.watermark(1000, emit)
 * found // => ['a@0: 2']
 * panes.end(emit)
 * found // => ['a@0: 2', 'b@1000: 1']
 */
export class Panes<T, A> {
  readonly #spec: WindowSpec<T>
  readonly #state: WindowState<T, A>
  readonly #assigner: WindowAssigner<T, A>
  readonly #progress: WatermarkProgress<T, A>
  readonly #onLate: ((key: Key, event: T, timeMs: number) => void) | undefined
  /** Reads the time of an event; absent if windows do not use it. */
  readonly #at: At<T> | undefined
  readonly #isClock: boolean
  readonly #intervals: readonly (Trigger & { readonly kind: 'interval' })[]
  /** The clock, as of the last tick. */
  #nowMs = Number.NEGATIVE_INFINITY
  #hasEnded = false
  #late = 0
  #partlyLate = 0

  /** @throws {TypeError} if `spec` is of sessions and `fold` has no merge */
  constructor(
    spec: WindowSpec<T>,
    fold: Fold<T, A>,
    { onLate, holdMs = 0, operator = 'window' }: PanesOptions<T> = {},
  ) {
    checkFold(spec, fold)
    this.#spec = spec
    this.#state = windowStateOf(spec, fold, operator, holdMs)
    this.#assigner = assignerOf(spec, this.#state)
    this.#progress = new WatermarkProgress(spec, this.#state, this.#assigner)
    this.#onLate = onLate
    this.#at = isEventTime(spec) ? spec.at : undefined
    this.#isClock = spec.kind === 'processingTime'
    this.#intervals = spec.triggers.filter((trigger) => trigger.kind === 'interval')
  }

  /** How far event time has advanced. */
  get watermarkMs(): number {
    return this.#isClock ? Number.NEGATIVE_INFINITY : this.#state.timeMs
  }

  /** How many events came too late for all their windows. */
  get late(): number {
    return this.#late
  }

  /** How many events of overlapping windows came too late for some of them, and are in the others. */
  get partlyLate(): number {
    return this.#partlyLate
  }

  /** How many states are open, of all keys and windows. */
  get open(): number {
    return this.#state.openings.count
  }

  /** When to call {@link tick} next, by its clock: Infinity if there is no need, -Infinity for at once. */
  get nextTickMs(): number {
    const closingMs = this.#isClock ? this.#state.timetable.nextMs : Number.POSITIVE_INFINITY
    if (!this.#state.openings.hasChanged) return closingMs
    if (this.#nowMs === Number.NEGATIVE_INFINITY) return this.#nowMs
    return this.#intervals.reduce((next, { ms }) => Math.min(next, dueAfter(this.#nowMs, ms)), closingMs)
  }

  /**
   * Takes an event.
   *
   * @throws {EventTimeError} if its time is invalid: the event is in no window, and nothing else has changed
   * @throws {SluiceError} STATE_OVER_LIMIT if a window would have to be opened beyond `maxOpen`
   * @throws {RangeError} for a window of the clock before the first tick
   */
  add(key: Key, event: T, emit: Emit<A>): void {
    this.addAt(key, event, this.#at === undefined ? 0 : timeOf(this.#at, event), emit)
  }

  /** The same for a caller that knows the event's time from {@link timeOf}; it counts in windows of event time only. */
  addAt(key: Key, event: T, timeMs: number, emit: Emit<A>): void {
    invariant(!this.#hasEnded, 'an event came after the end')
    const taken = this.#assigner.add(key, event, this.#isClock ? this.#clockMs() : timeMs, emit)
    if (taken !== 'all') this.#tooLate(taken, key, event, timeMs)
  }

  /**
   * Takes what an upstream {@link Combiner} has folded. A combiner that emits its partial results before the next
   * watermark produces no late events; should one occur, it is counted as late.
   */
  merge(partial: WindowPartial<A>, emit: Emit<A>): void {
    if (this.#assigner.merge === undefined) throw new TypeError(`Cannot merge partials into ${this.#spec.kind} windows`)
    invariant(!this.#hasEnded, 'a partial came after the end')
    if (this.#assigner.merge(partial, emit) === 'none') this.#late += partial.events
  }

  /**
   * Event time has advanced to `timeMs`: no earlier event will come. An earlier time than the last does nothing, and
   * one large step equals many small ones with nothing in between.
   */
  watermark(timeMs: number, emit: Emit<A>): void {
    checkTime('watermark', timeMs)
    if (this.#isClock || timeMs <= this.#state.timeMs) return
    this.#progress.advance(timeMs, WATERMARK, emit)
  }

  /** The clock has reached `nowMs` (since 1970, if windows are named by it). It never goes back. */
  tick(nowMs: number, emit: Emit<A>): void {
    checkTime('nowMs', nowMs)
    const lastMs = this.#nowMs
    if (nowMs <= lastMs) return
    this.#nowMs = nowMs
    const due = this.#intervals.map((interval) => ({ interval, dueMs: dueAfter(lastMs, interval.ms) }))
    for (const { interval, dueMs } of due.sort((a, b) => a.dueMs - b.dueMs)) {
      if (dueMs > nowMs) break
      if (this.#isClock) this.#progress.advance(dueMs, CLOCK, emit)
      this.#state.openings.fireChanged(interval, emit)
    }
    if (this.#isClock) this.#progress.advance(nowMs, CLOCK, emit)
  }

  /** The mark `name` has come: fires everything that holds events, changed or not, if a trigger waits for it. */
  mark(name: string, emit: Emit<A>): void {
    const trigger = this.#spec.triggers.find((found) => found.kind === 'mark' && found.name === name)
    if (trigger === undefined) return
    const opens = [...this.#assigner.groups()].flatMap((group) => [...group.members.values()])
    for (const open of opens.filter(({ events }) => events > 0).sort(byEnd)) {
      this.#state.openings.fire(open, trigger, false, emit)
    }
  }

  /**
   * The input has ended: closes everything that is open. Nothing may follow.
   *
   * @param options.ensure - a key for which the global window emits a pane even without events
   */
  end(emit: Emit<A>, { ensure }: { readonly ensure?: Key } = {}): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (ensure !== undefined && this.#spec.kind === 'global') this.#assigner.ensure?.(ensure)
    this.#progress.end(emit)
  }

  /** The whole state, as plain data that shares nothing with the machine. */
  snapshot(): PanesSnapshot {
    const groups = [...this.#assigner.groups()].map((group) => saveGroup(group, this.#state.fold))
    const timeMs = write(this.#state.timeMs)
    const closed = [...(this.#assigner.closed?.() ?? [])].map(([key, endMs]) => ({ key: write(key), endMs }))
    const counts = { late: this.#late, partlyLate: this.#partlyLate }
    return { window: describeWindow(this.#spec), timeMs, ...counts, groups, ...(closed.length > 0 ? { closed } : {}) }
  }

  /**
   * Restores a snapshot, as if nothing had happened in between. The machine must be a new one.
   *
   * @throws {RangeError} if the snapshot is of other windows; triggers may differ
   */
  restore(saved: PanesSnapshot): void {
    const own = describeWindow(this.#spec)
    if (saved.window !== own) throw new RangeError(`Cannot restore windows ${own}: the snapshot is of ${saved.window}`)
    invariant(
      this.open === 0 && this.#state.timeMs === Number.NEGATIVE_INFINITY,
      'windows restored into a used machine',
    )
    this.#state.timeMs = read(saved.timeMs)
    this.#late = saved.late
    this.#partlyLate = saved.partlyLate
    for (const { key, endMs } of saved.closed ?? []) this.#assigner.restoreClosed?.(read(key), endMs)
    for (const group of saved.groups) this.#assigner.restore(loadGroup(group, this.#state.fold))
  }

  #tooLate(taken: Taken, key: Key, event: T, timeMs: number): void {
    if (taken === 'some') this.#partlyLate += 1
    else {
      this.#late += 1
      this.#onLate?.(key, event, timeMs)
    }
  }

  /** The clock, for windows that go by it. */
  #clockMs(): number {
    if (this.#state.timeMs > Number.NEGATIVE_INFINITY) return this.#state.timeMs
    throw new RangeError('Cannot place an event by the clock: there was no tick yet')
  }
}

/** The next multiple of `ms` after a time; before the first tick, none is due. */
function dueAfter(timeMs: number, ms: number): number {
  return timeMs === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : (Math.floor(timeMs / ms) + 1) * ms
}

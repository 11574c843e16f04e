// Folds events before they are sent to where their keys meet: fewer things travel, with the same result.

import type { Key } from '../base/hash.ts'
import type { WindowAssigner, WindowPartial, WindowState } from './assigner.ts'
import { timeOf } from './event-time.ts'
import type { Fold } from './fold.ts'
import { assignerOf, checkFold, firstEndMs, isEventTime, windowStateOf } from './place.ts'
import type { At, WindowSpec } from './window.ts'

const NOWHERE = (): void => {}

/**
 * Whether events of these windows can be folded before they are sent: states must merge, windows must lie in time (or
 * be one), and nothing may depend on single events, as `every` and the `maxLength` of sessions do.
 */
export function canCombine<T, A>(spec: WindowSpec<T>, fold: Fold<T, A>): boolean {
  if (fold.merge === undefined || spec.kind === 'count' || spec.kind === 'processingTime') return false
  if (spec.kind === 'session' && spec.maxLengthMs !== Number.POSITIVE_INFINITY) return false
  return spec.triggers.every(({ kind }) => kind !== 'every')
}

/**
 * Folds events by key and window, to be merged by {@link Panes} further down.
 *
 * It is drained before each mark is passed on, so that partial results come before their watermark. An event of a
 * window whose end its own watermark has passed, or of a session that it has fallen behind, is not folded: it may be
 * late, which is not decided here.
 *
 * @example
 * const count: Fold<{ at: number }, number> = { create: () => 0, add: (n) => n + 1, merge: (a, b) => a + b }
 * const combiner = new Combiner(tumbling('1s', (event: { at: number }) => event.at), count)
 * combiner.add('a', { at: 100 }) // => true
 * combiner.add('a', { at: 200 }) // => true
 * combiner.drainPartials() // => [{ key: 'a', startMs: 0, endMs: 1000, acc: 2, events: 2 }]
 * combiner.watermark(1000)
 * combiner.add('a', { at: 300 }) // => false
 */
export class Combiner<T, A> {
  readonly #spec: WindowSpec<T>
  readonly #at: At<T> | undefined
  /** For errors: the operator. */
  readonly #operator: string
  /** What is held; a new one after each drain. */
  #state: WindowState<T, A>
  #assigner: WindowAssigner<T, A>
  #watermarkMs = Number.NEGATIVE_INFINITY

  /**
   * @throws {TypeError} if {@link canCombine} returns false
   */
  constructor(spec: WindowSpec<T>, fold: Fold<T, A>, operator = 'window') {
    checkFold(spec, fold)
    if (!canCombine(spec, fold)) throw new TypeError(`Cannot combine events of ${spec.kind} windows before they meet`)
    const plain = { triggers: [], panes: 'accumulate' } as const
    this.#spec = isEventTime(spec) ? { ...spec, ...plain, allowedLatenessMs: 0 } : { ...spec, ...plain }
    this.#at = isEventTime(spec) ? spec.at : undefined
    this.#operator = operator
    this.#state = windowStateOf(this.#spec, fold, operator)
    this.#assigner = assignerOf(this.#spec, this.#state)
  }

  /** How many partials it holds. */
  get size(): number {
    return this.#state.openings.count
  }

  /**
   * Folds an event; returns false if it has to be sent as it is.
   *
   * @throws {EventTimeError} if its time is invalid
   */
  add(key: Key, event: T): boolean {
    return this.addAt(key, event, this.#at === undefined ? 0 : timeOf(this.#at, event))
  }

  /** The same for a caller that knows the event's time. */
  addAt(key: Key, event: T, timeMs: number): boolean {
    // Before the watermark there may be closed sessions: only the machine that holds them knows.
    const isSession = this.#spec.kind === 'session'
    if (isSession ? timeMs < this.#watermarkMs : firstEndMs(this.#spec, timeMs) <= this.#watermarkMs) return false
    return this.#assigner.add(key, event, timeMs, NOWHERE) !== 'none'
  }

  /** Event time has advanced to `timeMs` on this side. */
  watermark(timeMs: number): void {
    this.#watermarkMs = Math.max(this.#watermarkMs, timeMs)
    if (this.#spec.kind === 'session') this.#state.timeMs = this.#watermarkMs
  }

  /** Returns what is held, oldest first, and forgets it. */
  drainPartials(): WindowPartial<A>[] {
    const opens = [...this.#assigner.groups()].flatMap((group) => [...group.members.values()])
    const partials = opens
      .sort((a, b) => a.order - b.order)
      .map(
        ({ key, group, acc, events }): WindowPartial<A> => ({
          key,
          startMs: group.startMs,
          endMs: group.endMs,
          acc,
          events,
        }),
      )
    this.#state = windowStateOf(this.#spec, this.#state.fold, this.#operator)
    if (this.#spec.kind === 'session') this.#state.timeMs = this.#watermarkMs
    this.#assigner = assignerOf(this.#spec, this.#state)
    return partials
  }
}

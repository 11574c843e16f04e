// The contract of dispatchers: which consumer of a producer gets which events. Pure machines over opaque consumers.

import type { Chunk } from './chunk.ts'
import type { Mark } from './message.ts'

/** Where a dispatcher puts what it decided. Called synchronously; must not call back into the dispatcher. */
export interface Deliver<T, C> {
  events(consumer: C, events: Chunk<T>): void
  mark(consumer: C, mark: Mark): void
}

/**
 * Divides events among consumers. It holds each consumer's demand and nothing else about it.
 *
 * Rules, checked by the conformance suite (docs/specs/demand.md, D30 and on): no consumer gets more than it asked for;
 * an event that goes to no consumer returns its demand, because `wanted` is computed from what consumers still miss; a
 * mark comes after every event dispatched before it.
 */
export interface Dispatcher<T, C, O = unknown> {
  /** Adds a consumer, with no demand yet. @throws {RangeError} if its options cannot be served */
  subscribe(consumer: C, options: O): void
  /** Removes a consumer, with its demand; what was held for it stays for the next one in its place. */
  cancel(consumer: C): void
  /** Adds to a consumer's demand; what was held for it is sent. The ask of an absent consumer does nothing. */
  ask(consumer: C, events: number, deliver: Deliver<T, C>): void
  /** How many events `dispatch` takes now. */
  wanted(): number
  /**
   * Takes all of `events`, at most `wanted()` of them: an array if the stage emits arrays, as every stage made by
   * `producer` or `producerConsumer` does.
   */
  dispatch(events: Chunk<T>, deliver: Deliver<T, C>): void
  /** Sends a mark to every consumer, after what is held for it. */
  mark(mark: Mark, deliver: Deliver<T, C>): void
  /** Events held for consumers that have not asked for them: bounded. */
  held(): number
}

/** Makes a dispatcher for one stage: what `producer({ dispatcher })` takes. `O`: its subscription options. */
export interface DispatcherSpec<T, O = unknown> {
  readonly kind: string
  /** Checks subscription options before anything starts. @throws if they cannot be served */
  readonly check: (options: O) => void
  readonly make: <C>() => Dispatcher<T, C, O>
}

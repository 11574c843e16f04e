// Stages as their users see them: requests from outside, and from their own hooks.

import type { Ending } from './message.ts'

/** What a stage has done so far. Counts events. */
export interface StageStats {
  readonly name: string
  readonly state: 'open' | 'ending' | 'ended'
  readonly received: number
  readonly emitted: number
  /** Events that nobody has asked for yet, in the buffer and in the dispatcher. */
  readonly buffered: number
  /** Events that came and are not handled yet. */
  readonly waiting: number
  readonly discarded: number
  /** Events that came without having been asked for: always 0 between our own stages. */
  readonly surplus: number
  readonly producers: number
  readonly consumers: number
}

/** An actor with a mailbox: it handles one message at a time. */
export interface Stage {
  readonly name: string
  /**
   * Resolves when the stage has completed or was cancelled and everything is closed; rejects with the error that made
   * it fail.
   */
  readonly done: Promise<void>
  /** How it ended; undefined until then. */
  readonly ending: Ending | undefined
  /** Aborted when the stage ends in any way: for what its hooks wait on. */
  readonly signal: AbortSignal
  stats(): StageStats
  /**
   * Sends a request to the stage's `onMessage` and returns its answer, after every batch that came before, and after
   * the events that the hook emits were sent or buffered.
   */
  request(message: unknown): Promise<unknown>
  /** Sends a notice to the stage's `onMessage`, in the same order, without an answer. */
  notify(message: unknown): void
  /** Ends it after what it has in hand: nothing new is taken, its output is sent, then the end. */
  complete(): void
  /** Ends it now: what it holds is lost. */
  cancel(reason?: unknown): void
  /** Ends it now, as failed: what it holds is lost, and everything that depends on it is notified. */
  fail(error: unknown): void
}

/** Sends events to consumers, never more than they asked for. */
export interface Producer<Out> extends Stage {
  /** Sends events, as far as they are asked for; the rest is buffered. From a hook, or from outside at any time. */
  emit(events: readonly Out[]): void
  /** Promises that no event earlier than `time` follows. In order with the events. */
  watermark(time: number): void
  /** Ends epoch `epoch`. In order with the events. */
  barrier(epoch: number): void
  /** Holds demand and events back, in order, until `resume`. */
  pause(): void
  resume(): void
  readonly [gives]?: Out
}

/** Receives events from producers; it cannot emit. */
export interface Consumer<In> extends Stage {
  /** Only for the compiler, to tell consumers of different events apart, and from producers. */
  readonly [takes]: (event: In) => void
}

/** Receives events and emits others. */
export interface ProducerConsumer<In, Out> extends Consumer<In>, Producer<Out> {}

declare const gives: unique symbol
declare const takes: unique symbol

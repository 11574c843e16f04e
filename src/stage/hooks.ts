// A stage's definition: hooks and options, as one object. A literal will do, or an instance of a class.

import { type Chunk, isChunk } from './chunk.ts'
import type { DispatcherSpec } from './dispatcher.ts'
import type { Resumable } from './drawing.ts'
import type { Subscription } from './link.ts'
import type { Ending } from './message.ts'
import type { WhenFull } from './out-buffer.ts'
import type { Scheduler } from './scheduler.ts'
import type { Consumer, Producer, ProducerConsumer, Stage } from './stage.ts'

/** Returned at once or later; a hook that returns at once costs no promise. */
export type Awaitable<T> = T | Promise<T>

interface CommonSpec<Self extends Stage> {
  /** The stage's name in errors, statistics and diagrams. */
  readonly name?: string
  /**
   * Answers a request, or takes a notice: after every batch that came before it. What it emits is sent before the
   * answer.
   */
  readonly onMessage?: (message: never, self: Self) => unknown
  /** A subscription has ended, on either side of the stage; called after the events that came before. */
  readonly onCancel?: (subscription: Subscription, ending: Ending, self: Self) => void
  /** Called last, however the stage ends: for closing resources. It can emit nothing any more. */
  readonly onEnd?: (ending: Ending, self: Self) => Awaitable<void>
  /** How long to wait for `onEnd` if the stage failed or was cancelled, in milliseconds: 3000 by default. */
  readonly closeTimeoutMs?: number
  /** Runs the stage; by default the scheduler of the thread. */
  readonly scheduler?: Scheduler
}

interface GivingSpec<Out> {
  /** Divides events among consumers: `demand()` by default. */
  readonly dispatcher?: DispatcherSpec<Out, never>
  /** The most events buffered that nobody has asked for: an integer, 0 or more; 10,000 by default. */
  readonly bufferSize?: number
  /** What happens at the limit: `keep-last` (the oldest are discarded), `keep-first`, or `fail`. */
  readonly whenFull?: WhenFull
  /** Called with how many events were discarded. Without it a warning is printed, once. */
  readonly onDiscard?: (events: number) => void
  /** `end`: the stage is cancelled when its last consumer has left. `stay`: it waits for another. */
  readonly unwanted?: 'end' | 'stay'
}

interface TakingSpec<Self extends Stage> {
  /** A subscription starts: return `manual` to ask by hand. */
  readonly onSubscribe?: (subscription: Subscription, self: Self) => 'automatic' | 'manual' | void
  /**
   * No event earlier than `time` follows; with several producers, the minimum of theirs. It is passed on, unless the
   * hook returns `held`: for stages that send watermarks of their own.
   */
  readonly onWatermark?: (time: number, self: Self) => Awaitable<'held' | void>
  /** Everything before belongs to epoch `epoch` or earlier; with several producers, on all of them. */
  readonly onBarrier?: (epoch: number, self: Self) => Awaitable<void>
}

/** The definition of a producer. */
export interface ProducerSpec<Out> extends CommonSpec<Producer<Out>>, GivingSpec<Out> {
  /**
   * `demand` more events are wanted: return them, or fewer. The rest is not asked for again: emit it later with
   * `self.emit`. Iterable sources do not have that duty: see `from`.
   */
  readonly onDemand?: (demand: number, self: Producer<Out>) => Awaitable<readonly Out[] | void>
  /** The producer completes: the last events, if there are any. Not called on cancellation or failure. */
  readonly onComplete?: (self: Producer<Out>) => Awaitable<readonly Out[] | void>
  /** `accumulate` holds demand and events back until `resume()`. */
  readonly demand?: 'forward' | 'accumulate'
}

/** The definition of a producer-consumer. */
export interface ProducerConsumerSpec<In, Out>
  extends CommonSpec<ProducerConsumer<In, Out>>,
    GivingSpec<Out>,
    TakingSpec<ProducerConsumer<In, Out>> {
  /**
   * Events have come: return what they become. An array is sent as demand allows before the next events are handled; an
   * iterator (a generator) is drawn on demand, and so is put-off work. A hook that returns nothing, not even an empty
   * array, emits later: the events it received count against its consumers' demand until it emits. Return `[]`, or a
   * promise, if nothing is to follow.
   */
  readonly onEvents: (
    events: readonly In[],
    from: Subscription,
    self: ProducerConsumer<In, Out>,
  ) => Awaitable<readonly Out[] | Iterable<Out> | Resumable | void>
  /** All producers have completed: the last events, if there are any. Not called on cancellation or failure. */
  readonly onComplete?: (self: ProducerConsumer<In, Out>) => Awaitable<readonly Out[] | void>
}

/** The definition of a consumer. */
export interface ConsumerSpec<In> extends CommonSpec<Consumer<In>>, TakingSpec<Consumer<In>> {
  /** Events have come. The next ones are asked for when it has returned, or its promise has settled. */
  readonly onEvents: (events: readonly In[], from: Subscription, self: Consumer<In>) => Awaitable<void>
  /** All producers have completed. Not called on cancellation or failure. */
  readonly onComplete?: (self: Consumer<In>) => Awaitable<void>
}

/** A stage as hooks with chunks see it. */
export interface ChunkStage extends Omit<Producer<unknown>, 'emit'> {
  emit(events: Chunk<unknown>): void
}

/**
 * Every hook and option, as the core of a stage sees them. Hooks with chunks (see `chunkStage`) get them as they came,
 * may return chunks, and may defer work in any hook; those of other stages get and return arrays.
 */
export type AnySpec = Partial<
  Omit<CommonSpec<ChunkStage>, 'onMessage' | 'onCancel'> &
    GivingSpec<unknown> &
    Pick<TakingSpec<ChunkStage>, 'onSubscribe'> & {
      readonly usesChunks: boolean
      readonly demand: 'forward' | 'accumulate'
      onMessage(message: unknown, self: ChunkStage): unknown
      onCancel(subscription: Subscription, ending: Ending, self: ChunkStage): Resumable | void
      onWatermark(time: number, self: ChunkStage): Awaitable<'held' | void> | Resumable
      onBarrier(epoch: number, self: ChunkStage): Awaitable<void> | Resumable
      onDemand(demand: number, self: ChunkStage): Awaitable<Chunk<unknown> | void>
      onEvents(
        events: Chunk<unknown>,
        from: Subscription,
        self: ChunkStage,
      ): Awaitable<Chunk<unknown> | Iterable<unknown> | Resumable | void>
      onComplete(self: ChunkStage): Awaitable<Chunk<unknown> | void> | Resumable
    }
>

/** Whether a value returned by a hook can be sent as it is. */
export function givesChunk(spec: AnySpec, given: unknown): given is Chunk<unknown> {
  return Array.isArray(given) || (spec.usesChunks === true && isChunk(given))
}

/** Whether a hook with chunks has put work off; what other stages return may look like it. */
export function putsOff(spec: AnySpec, given: unknown): given is Resumable {
  return spec.usesChunks === true && typeof given === 'object' && given !== null && 'resume' in given
}

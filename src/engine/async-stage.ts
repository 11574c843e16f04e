// A stage of async calls: concurrent, with results in order or as they come.

import type { Clock } from '../base/clock.ts'
import type { Key } from '../base/hash.ts'
import { isPromise } from '../base/promise.ts'
import { Ring } from '../base/ring.ts'
import { type Batch, batchFrom, chunkOf } from '../connect/batch.ts'
import type { WaitSettings } from '../flow/plan.ts'
import type { Chunk } from '../stage/chunk.ts'
import type { StageCore } from '../stage/core.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import type { AnySpec, ChunkStage } from '../stage/hooks.ts'
import type { Subscription } from '../stage/link.ts'
import { chunkStage } from '../stage/make.ts'
import { type CallFunction, callFor } from './async-call.ts'
import { RateLimiter } from './rate-limiter.ts'
import { NOTHING, ResultQueue } from './result-queue.ts'
import type { OwnCounts } from './stage-stats.ts'
import { Utilization } from './utilization.ts'

export interface AsyncStageOptions {
  readonly name: string
  /** Makes the function, once per stage. */
  readonly make: () => CallFunction
  readonly settings: WaitSettings
  readonly dispatcher: DispatcherSpec<unknown, never>
  readonly clock: Clock
  /**
   * Receives events, as batches of one, whose last attempt failed, after so many barriers; without it the stage fails
   * with them.
   */
  readonly refused?: ((event: Batch, error: unknown, barriers: number) => void) | undefined
  /** Called when all calls before a barrier have ended, and when all have. */
  readonly onBarrier?: ((epoch: number) => void) | undefined
  readonly onEnded?: (() => void) | undefined
  /** Receives how long its calls took, as a share of the concurrency. */
  readonly ownCounts?: OwnCounts
}

/**
 * Calls a function for each event, up to `concurrency` at a time.
 *
 * - **Does not stall** on the slowest call: others continue. In order, results wait for earlier ones: up to twice
 *   `concurrency` events are in the stage, so that a slow call delays the others only if it is very slow.
 * - **Asks** for as many events as have been emitted: never more than twice `concurrency` from each producer are in
 *   flight.
 * - **Marks** are emitted after the results of all earlier events, and before those of all later ones.
 * - **Fails** with the error of a call's last attempt; the signals of the other calls are aborted.
 * - **Completes** when all calls have ended and their results are emitted.
 */
export function asyncStage(options: AsyncStageOptions): StageCore {
  return chunkStage('producer-consumer', new AsyncStage(options))
}

type Self = ChunkStage

interface Call {
  /** A batch of one. */
  readonly event: Batch
  readonly from: Subscription
  /** Where its result goes. */
  readonly ticket: number
  readonly key: Key | undefined
}

class AsyncStage implements AnySpec {
  readonly name: string
  readonly dispatcher: DispatcherSpec<unknown, never>
  // At most what is in flight: results that nobody has asked for stop the asking.
  readonly bufferSize = Number.POSITIVE_INFINITY
  readonly unwanted = 'end'
  readonly #options: AsyncStageOptions
  readonly #fn: CallFunction
  readonly #stop = new AbortController()
  readonly #answers: ResultQueue
  readonly #pace: RateLimiter | undefined
  readonly #occupancy: Utilization
  /** Events waiting for their call. */
  readonly #waiting = new Ring<Call>()
  /** Events that are next for their key: they go first. Their keys are busy. */
  readonly #due = new Ring<Call>(2)
  /** Keys with a call under way → the calls that wait for it. */
  readonly #busyKeys = new Map<Key, Ring<Call>>()
  #running = 0
  /** How many barriers went through. */
  #barriers = 0
  /** Whether a wait for the rate limit is under way. */
  #isPacing = false
  /** Whoever awaits the end of the last call. */
  #idle: PromiseWithResolvers<void> | undefined
  #self: Self | undefined
  /** The pending emission of results from this turn of the event loop. */
  #flush: NodeJS.Immediate | undefined

  constructor(options: AsyncStageOptions) {
    const { name, dispatcher, make, settings, clock, ownCounts } = options
    this.name = name
    this.dispatcher = dispatcher
    this.#options = options
    this.#fn = make()
    this.#answers = new ResultQueue(settings.ordered)
    this.#occupancy = new Utilization(settings.concurrency)
    if (ownCounts !== undefined) ownCounts.busyMs = () => this.#occupancy.ms(clock.nowMs())
    this.#pace =
      settings.ratePerSecond === undefined ? undefined : new RateLimiter(settings.ratePerSecond, () => clock.nowMs())
  }

  onSubscribe(subscription: Subscription, self: Self): 'manual' {
    // However the stage ends: waiting for calls must not delay it.
    if (this.#self === undefined) self.signal.addEventListener('abort', this.#quit, { once: true })
    this.#self = self
    subscription.ask(2 * this.#options.settings.concurrency)
    return 'manual'
  }

  onEvents(chunk: Chunk<unknown>, from: Subscription, self: Self): readonly unknown[] {
    const batch = batchFrom(chunk)
    const keyOf = this.#options.settings.key as ((event: unknown) => Key) | undefined
    for (let index = 0; index < batch.length; index += 1) {
      const ticket = this.#answers.reserve()
      const event = batch.slice(index, index + 1)
      this.#waiting.push({ event, from, ticket, key: keyOf?.(event.at(0)) })
    }
    this.#fill(self)
    this.#send(self)
    // What is in hand is bounded by what it asks for.
    return []
  }

  onWatermark(time: number, self: Self): 'held' {
    this.#answers.mark(time)
    this.#send(self)
    return 'held'
  }

  async onBarrier(epoch: number): Promise<void> {
    await this.#settled()
    this.#barriers += 1
    this.#options.onBarrier?.(epoch)
  }

  async onComplete(): Promise<void> {
    await this.#settled()
    this.#options.onEnded?.()
  }

  onEnd(): void {
    this.#self?.signal.removeEventListener('abort', this.#quit)
    this.#quit()
  }

  readonly #quit = (): void => {
    clearImmediate(this.#flush)
    this.#stop.abort()
    this.#idle?.resolve()
  }

  /** Waits until no event is in the stage. */
  async #settled(): Promise<void> {
    if (!this.#isIdle) {
      this.#idle ??= Promise.withResolvers()
      await this.#idle.promise
    }
    if (this.#self !== undefined) this.#send(this.#self)
  }

  get #isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0 && this.#due.length === 0
  }

  /** Starts calls while there is room. */
  #fill(self: Self): void {
    const { concurrency } = this.#options.settings
    while (this.#running < concurrency && !this.#stop.signal.aborted) {
      if ((this.#waiting.length === 0 && this.#due.length === 0) || this.#mustPace(self)) return
      const due = this.#due.shift()
      if (due !== undefined) {
        this.#begin(due, self)
        continue
      }
      const call = this.#waiting.shift()
      if (call === undefined) return
      const { key } = call
      const others = key === undefined ? undefined : this.#busyKeys.get(key)
      if (others !== undefined) {
        others.push(call)
        continue
      }
      if (key !== undefined) this.#busyKeys.set(key, new Ring(2))
      this.#begin(call, self)
    }
  }

  #begin(call: Call, self: Self): void {
    this.#running += 1
    this.#pace?.begin()
    try {
      const answer = this.#call(call.event.at(0))
      if (isPromise(answer)) {
        answer.then(
          (value) => this.#answered(call, value, self),
          (error: unknown) =>
            this.#refused(call, error) ? this.#answered(call, NOTHING, self) : this.#failed(error, self),
        )
      } else this.#take(call, answer)
    } catch (error) {
      // Calls are being started already; that loop continues by itself.
      if (this.#refused(call, error)) this.#take(call, NOTHING)
      else this.#failed(error, self)
    }
  }

  #call(event: unknown): unknown {
    const { name, settings, clock } = this.#options
    return callFor(event, this.#fn, { name, settings, clock, signal: this.#stop.signal })
  }

  /** The last attempt of a call has failed: its event is dropped, or the stage fails. */
  #refused(call: Call, error: unknown): boolean {
    const { refused } = this.#options
    if (this.#stop.signal.aborted || refused === undefined) return false
    refused(call.event, error, this.#barriers)
    return true
  }

  #answered(call: Call, value: unknown, self: Self): void {
    if (this.#stop.signal.aborted) return
    this.#take(call, value)
    this.#fill(self)
    this.#flush ??= setImmediate(() => this.#send(self))
  }

  /** A call has ended: its result goes to its place, and the next call for its key may start. */
  #take({ ticket, event, from, key }: Call, value: unknown): void {
    this.#running -= 1
    this.#answers.resolve(ticket, value, event, from)
    if (key === undefined) return
    const next = this.#busyKeys.get(key)?.shift()
    if (next === undefined) this.#busyKeys.delete(key)
    else this.#due.push(next)
  }

  /** Emits what is ready, and asks for as many events as were emitted. */
  #send(self: Self): void {
    clearImmediate(this.#flush)
    this.#flush = undefined
    if (this.#stop.signal.aborted) return
    // As often as calls start and results come, not once for each.
    this.#occupancy.set(this.#running, this.#options.clock.nowMs())
    for (let ready = this.#answers.take(); ready !== undefined; ready = this.#answers.take()) {
      for (const batch of ready.batches) self.emit(chunkOf(batch))
      for (const [from, events] of ready.from) from.ask(events)
      if (ready.watermark !== undefined) self.watermark(ready.watermark)
    }
    if (this.#isIdle) {
      this.#idle?.resolve()
      this.#idle = undefined
    }
  }

  #failed(error: unknown, self: Self): void {
    if (this.#stop.signal.aborted) return
    this.#stop.abort(error)
    self.fail(error)
  }

  /** Whether the next call is too early; it is started when its time has come. */
  #mustPace(self: Self): boolean {
    const waitMs = this.#pace?.waitMs() ?? 0
    if (waitMs <= 0) return false
    if (this.#isPacing) return true
    this.#isPacing = true
    this.#options.clock.sleep(waitMs, this.#stop.signal).then(
      () => {
        this.#isPacing = false
        this.#fill(self)
        this.#send(self)
      },
      () => {}, // The stage has ended.
    )
    return true
  }
}

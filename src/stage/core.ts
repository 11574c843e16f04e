// The one engine behind every kind of stage: its requests, its mailbox, and how it ends.

import { checkInteger, checkTime, describeValue } from '../base/check.ts'
import { Ring } from '../base/ring.ts'
import type { Chunk } from './chunk.ts'
import { type StageWork, statsOf, workOf } from './counts.ts'
import { HookCalls } from './hook-calls.ts'
import { type AnySpec, givesChunk } from './hooks.ts'
import { Lifetime, refuse } from './lifetime.ts'
import type { Link, LinkEnd, SubscribeOptions } from './link.ts'
import { COMPLETED, type Ending, type Left, type ToConsumer, type ToProducer, type ToStage } from './message.ts'
import type { Outlet } from './outlet.ts'
import { threadScheduler } from './scheduler.ts'
import type { Producer, Stage, StageStats } from './stage.ts'
import { Turns } from './turns.ts'
import { WorkTime } from './work-time.ts'

/**
 * A stage. Messages wait in its mailbox until the scheduler gives it a turn; a hook that returns a promise makes it
 * busy, and nothing else of it runs until that has settled. No stage calls another: they post messages.
 *
 * Invariants: at most one hook runs at a time; after the end nothing is sent, asked or handled; `settled` resolves
 * last, when the running hook and `onEnd` have returned.
 */
export class StageCore implements Stage, Producer<unknown>, LinkEnd {
  readonly name: string
  readonly #spec: AnySpec
  readonly #calls: HookCalls
  /** The emitting side; a consumer has none. */
  readonly #outlet: Outlet<unknown> | undefined
  readonly #mailbox = new Ring<ToProducer<Link> | Left<Link>>()
  readonly #turns: Turns
  /** Whether the stage has neither ended nor begun to. */
  isOpen = true
  /** Whether it is to complete when the work in hand is done; then nothing new is taken, and what was made goes out. */
  isClosing = false
  /** Whether the stage has ended. */
  isOver = false
  readonly #life: Lifetime

  constructor(kind: string, spec: AnySpec, outlet: Outlet<unknown> | undefined) {
    this.name = spec.name ?? kind
    this.#life = new Lifetime(this.name)
    this.#spec = spec
    this.#outlet = outlet
    this.#turns = new Turns(spec.scheduler ?? threadScheduler, this)
    this.#calls = new HookCalls({ stage: this, spec, turns: this.#turns, outlet })
    if (spec.demand === 'accumulate') outlet?.pause()
  }

  get takesEvents(): boolean {
    return this.#spec.onEvents !== undefined
  }

  /** Rejects subscription options that the dispatcher cannot serve, before anything has happened. */
  checkSubscription(options: SubscribeOptions): void {
    this.#spec.dispatcher?.check(options as never)
  }

  get givesEvents(): boolean {
    return this.#outlet !== undefined
  }

  get done(): Promise<void> {
    return this.#life.done
  }

  /** Like `done`, but never rejects. */
  get settled(): Promise<Ending> {
    return this.#life.settled
  }

  get ending(): Ending | undefined {
    return this.#life.ending
  }

  get signal(): AbortSignal {
    return this.#life.signal
  }

  /** Marks a failure as handled, so that no warning is printed. */
  watch(): void {
    this.#life.watch()
  }

  stats(): StageStats {
    const state = this.isOver ? 'ended' : this.isOpen ? 'open' : 'ending'
    return { name: this.name, state, ...statsOf(this.#calls.intake, this.#outlet) }
  }

  /** What it did so far. Its busy time is 0 unless it is measured. */
  work(): StageWork {
    return workOf(this.#calls.intake, this.#outlet, this.#turns.time)
  }

  /** Measures its busy time, from now on. */
  measure(time: WorkTime = new WorkTime()): void {
    this.#turns.time = time
  }

  request(message: unknown): Promise<unknown> {
    const reply = Promise.withResolvers<unknown>()
    this.#send(message, reply)
    return reply.promise
  }

  notify(message: unknown): void {
    this.#send(message, undefined)
  }

  emit(events: Chunk<unknown>): void {
    if (!givesChunk(this.#spec, events))
      throw new TypeError(`emit takes an array of events: found ${describeValue(events)}`)
    if (events.length > 0) this.#put((outlet) => outlet.emit(events))
  }

  watermark(time: number): void {
    checkTime('watermark', time)
    this.#put((outlet) => outlet.mark({ kind: 'watermark', time }))
  }

  barrier(epoch: number): void {
    checkInteger('barrier', epoch, 0)
    this.#put((outlet) => outlet.mark({ kind: 'barrier', epoch }))
  }

  pause(): void {
    this.#outlet?.pause()
  }

  resume(): void {
    this.#outlet?.resume()
    this.#turns.wake()
  }

  complete(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.isClosing = true
    this.#calls.giveUp()
    this.resume()
  }

  cancel(reason?: unknown): void {
    this.#stop({ kind: 'cancelled', reason })
  }

  /** Closing has a time limit from here on, even after completion. */
  giveUp(): void {
    this.#life.giveUp()
  }

  fail(error: unknown): void {
    this.#stop({ kind: 'failed', error })
  }

  /** Takes in what is handled in order, as demand allows. */
  accept(message: ToConsumer<Link> | ToStage): void {
    if (this.isOver) return refuse(message, this)
    this.#calls.intake.accept(message)
    this.#turns.wake()
  }

  /** Takes in what is handled first, without handling it: the sender must not wait. */
  post(message: ToProducer<Link> | Left<Link>): void {
    if (this.isOver) return
    this.#mailbox.push(message)
    this.#turns.wake()
  }

  /** Takes in a producer, and says so to it. Nothing is asked before `begin`. */
  join(link: Link): void {
    this.#calls.intake.join(link)
    link.from.welcome(link)
  }

  /**
   * Takes in a consumer, at once: all that subscribe before the stage's next turn miss nothing. One that the dispatcher
   * cannot serve fails, and no other; one that comes after the end is notified of it.
   */
  welcome(link: Link): void {
    let ending = this.isOver ? (this.ending ?? COMPLETED) : undefined
    try {
      if (ending === undefined) this.#outlet?.join(link)
    } catch (error) {
      ending = { kind: 'failed', error }
    }
    if (ending !== undefined) link.to.accept({ kind: 'mark', link, mark: { kind: 'end', ending } })
  }

  /** The first ask, or the author's own way of asking. */
  begin(link: Link): void {
    // The hook may ask by hand before it returns `manual`.
    const isManual = link.isManual
    link.isManual = true
    try {
      const mode = this.#spec.onSubscribe?.(link, this)
      link.isManual = mode === undefined ? isManual : mode === 'manual'
    } catch (error) {
      return this.fail(error)
    }
    if (link.ending === undefined) link.open()
  }

  /** A subscription of this consumer ends; its producer is notified. */
  leave(link: Link, ending: Ending): void {
    if (!this.#calls.intake.letGoOf(link, ending)) return
    this.post({ kind: 'left', link, ending })
  }

  #send(message: unknown, reply: PromiseWithResolvers<unknown> | undefined): void {
    if (this.#spec.onMessage === undefined) {
      throw new TypeError(`Cannot send ${this.name} a message: it has no onMessage`)
    }
    this.accept({ kind: 'message', message, reply })
  }

  /** Does the next thing there is to do; false if there is nothing to do. */
  advance(): boolean {
    if (this.isOver) return false
    const message = this.#mailbox.shift()
    if (message !== undefined) {
      this.#calls.receive(message)
      return true
    }
    if (this.#outlet?.isHolding === true && this.#calls.replay()) return true
    if (this.isOpen) return this.#calls.advance()
    if (this.isClosing) return this.#completeNow()
    return this.#calls.draw() || this.#endIfSpent()
  }

  /** Errors of a dispatcher's function, or a full buffer, are the stage's failure, not the caller's. */
  #put(put: (outlet: Outlet<unknown>) => void): void {
    if (this.isOver || this.#outlet === undefined) return
    try {
      put(this.#outlet)
    } catch (error) {
      this.fail(error)
    }
    this.#turns.wake()
  }

  #completeNow(): boolean {
    this.isClosing = false
    this.#calls.close()
    this.#calls.intake.letGo({ kind: 'cancelled', reason: undefined })
    this.#calls.after(this.#spec.onComplete?.(this), (last) => {
      if (this.ending !== undefined) return
      if (givesChunk(this.#spec, last) && last.length > 0) this.#outlet?.give(last, false)
      this.#outlet?.end({ kind: 'end', ending: COMPLETED })
    })
    return true
  }

  #endIfSpent(): boolean {
    if (this.#outlet !== undefined && !this.#outlet.isSpent) return false
    // Held for a consumer that never came.
    this.#outlet?.report(this.#outlet.clear())
    this.#stop(COMPLETED)
    return false
  }

  #stop(wanted: Ending): void {
    if (this.isOver) return
    this.isOpen = false
    this.isClosing = false
    this.isOver = true
    let ending = wanted
    try {
      this.#calls.close()
    } catch (error) {
      // A generator that throws as it is closed makes the stage fail, unless it has failed already.
      if (wanted.kind !== 'failed') ending = { kind: 'failed', error }
    }
    this.#life.end(ending)
    this.#calls.intake.letGo(ending)
    this.#outlet?.letGo(ending)
    for (const message of this.#calls.intake.clear()) refuse(message, this)
    if (!this.#turns.isBusy) this.close()
    else this.#turns.leaveWait()
  }

  close(): void {
    const ending = this.ending ?? COMPLETED
    this.#life.close(ending, () => this.#spec.onEnd?.(ending, this), this.#spec.closeTimeoutMs)
  }
}

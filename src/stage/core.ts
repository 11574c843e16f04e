// The one engine behind every kind of stage: a mailbox, a taking side, a giving side, and an end.

import { checkInteger, checkTime, describeValue } from '../base/check.ts'
import { unreachable } from '../base/invariant.ts'
import { isPromise } from '../base/promise.ts'
import { Ring } from '../base/ring.ts'
import { arrayOf, type Chunk, isChunk } from './chunk.ts'
import { Counts, type StageWork } from './counts.ts'
import { closedAtEnd, type Drawn, drawnFrom, type Resumable } from './drawing.ts'
import type { AnySpec } from './hooks.ts'
import { Intake, type Work } from './intake.ts'
import { Lifetime, reasonOf, refuse } from './lifetime.ts'
import type { Link, LinkEnd, SubscribeOptions } from './link.ts'
import { COMPLETED, type Ending, type Marker, type Message, type ToStage } from './message.ts'
import type { Ask, Outlet } from './outlet.ts'
import { threadScheduler } from './scheduler.ts'
import type { Producer, Stage, StageStats } from './stage.ts'
import { Turns } from './turns.ts'
import { WorkTime } from './work-time.ts'

/**
 * A stage. Messages wait in its mailbox until the scheduler gives it a turn; a hook that returns a promise makes it
 * busy, and nothing else of it happens until that has settled. No stage calls another: they post.
 *
 * Invariants: at most one hook runs at a time; after the end nothing is sent, asked or handled; `settled` resolves
 * last, when the hook that was running and `onEnd` have returned.
 */
export class StageCore implements Stage, Producer<unknown>, LinkEnd {
  readonly name: string
  readonly #spec: AnySpec
  /** The giving side; a consumer has none. */
  readonly #outlet: Outlet<unknown> | undefined
  readonly #intake = new Intake()
  readonly #mailbox = new Ring<Message<Link>>()
  readonly #turns: Turns
  /** What is still to come of the last call of `onEvents`. */
  #drawing: Drawn | undefined
  /** `completing`: nothing new is taken, what was made goes out. */
  #state: 'open' | 'completing' | 'ended' = 'open'
  /** Set by `complete`, acted on when the work in hand is done. */
  #mustComplete = false
  /** A producer was cancelled: the stage that ends for want of producers is cancelled too. */
  #cancelled: Ending | undefined
  readonly #life: Lifetime
  readonly #counts: Counts

  constructor(kind: string, spec: AnySpec, outlet: Outlet<unknown> | undefined) {
    this.name = spec.name ?? kind
    this.#life = new Lifetime(this.name)
    this.#spec = spec
    this.#outlet = outlet
    this.#counts = new Counts(this.#intake, outlet)
    if (outlet !== undefined) outlet.isPaused = spec.demand === 'accumulate'
    this.#turns = new Turns(spec.scheduler ?? threadScheduler, {
      isOver: () => this.#state === 'ended',
      work: () => this.#work(),
      fail: (error) => this.fail(error),
      close: () => this.#close(),
    })
  }

  get takesEvents(): boolean {
    return this.#spec.onEvents !== undefined
  }

  /** Refuses subscription options that the dispatcher cannot serve, before anything has happened. */
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

  /** Says that somebody will hear of a failure, so that it need not be warned of. */
  watch(): void {
    this.#life.watch()
  }

  stats(): StageStats {
    const state = this.#state === 'completing' ? 'ending' : this.#state
    return { name: this.name, state, ...this.#counts.stats() }
  }

  /** What it did so far. Its time is 0 unless it is measured. */
  work(): StageWork {
    return this.#counts.work()
  }

  /** Measures how long it is at work, from now on. */
  measure(time: WorkTime = new WorkTime()): void {
    this.#turns.time = time
    this.#counts.time = time
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
    if (!this.#takesAsChunk(events))
      throw new TypeError(`emit takes an array of events: found ${describeValue(events)}`)
    if (events.length === 0 || this.#state === 'ended') return
    try {
      this.#outlet?.emit(events)
    } catch (error) {
      // Of a dispatcher's function, or a full buffer: the stage's failure, not the caller's.
      this.fail(error)
    }
    this.#turns.wake()
  }

  watermark(time: number): void {
    checkTime('watermark', time)
    this.#put({ kind: 'watermark', time })
  }

  barrier(epoch: number): void {
    checkInteger('barrier', epoch, 0)
    this.#put({ kind: 'barrier', epoch })
  }

  pause(): void {
    if (this.#outlet !== undefined) this.#outlet.isPaused = true
  }

  resume(): void {
    if (this.#outlet !== undefined) this.#outlet.isPaused = false
    this.#turns.wake()
  }

  complete(): void {
    if (this.#state !== 'open') return
    this.#mustComplete = true
    // What is being drawn is closed then: nothing of it is waited for.
    if (this.#drawing !== undefined) this.#turns.leaveWait()
    this.resume()
  }

  cancel(reason?: unknown): void {
    this.#stop({ kind: 'cancelled', reason })
  }

  fail(error: unknown): void {
    this.#stop({ kind: 'failed', error })
  }

  /** Takes a message in. Never handles it: the sender must not wait for it. */
  post(message: Message<Link>): void {
    if (this.#state === 'ended') return refuse(message, this)
    this.#mailbox.push(message)
    this.#turns.wake()
  }

  /** Whether the stage has neither ended nor begun to. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Takes in a producer, and says so to it. Nothing is asked before `begin`. */
  join(link: Link): void {
    this.#intake.join(link)
    link.from.welcome(link)
  }

  /**
   * Takes a consumer in, at once: those who subscribe before the stage's next turn all miss nothing. One that the
   * dispatcher cannot serve fails, and nobody else does; one that comes behind the end hears of it.
   */
  welcome(link: Link): void {
    let ending = this.#state === 'ended' ? (this.ending ?? COMPLETED) : undefined
    try {
      if (ending === undefined) this.#outlet?.join(link)
    } catch (error) {
      ending = { kind: 'failed', error }
    }
    if (ending !== undefined) link.to.post({ kind: 'mark', link, mark: { kind: 'end', ending } })
  }

  /** The first ask, or the author's own way of asking. */
  begin(link: Link): void {
    // The hook may ask by hand before it says that it will.
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

  /** A subscription of this consumer ends; its producer is told. */
  leave(link: Link, ending: Ending): void {
    if (!this.#intake.letGoOf(link, ending)) return
    this.post({ kind: 'left', link, ending })
  }

  #send(message: unknown, reply: PromiseWithResolvers<unknown> | undefined): void {
    if (this.#spec.onMessage === undefined) {
      throw new TypeError(`Cannot send ${this.name} a message: it has no onMessage`)
    }
    this.post({ kind: 'message', message, reply })
  }

  /** Does the next thing there is to do; false if there is none. */
  #work(): boolean {
    if (this.#state === 'ended') return false
    const message = this.#mailbox.shift()
    if (message === undefined) return this.#advance()
    this.#receive(message)
    return true
  }

  #receive(message: Message<Link>): void {
    switch (message.kind) {
      case 'events':
      case 'mark':
      case 'message':
        return this.#intake.accept(message)
      case 'ask':
        if (this.#outlet?.ask(message) === true) this.#askSource()
        return
      case 'cancel':
        return this.#consumerLeft(message.link, message.ending)
      case 'left':
        return this.#inletEnded(message.link, message.ending)
      default:
        unreachable(message)
    }
  }

  /** With nothing new in the mailbox. */
  #advance(): boolean {
    const replayed = this.#outlet?.replay()
    if (replayed !== undefined) return this.#replay(replayed)
    if (this.#mustComplete) return this.#completeNow()
    if (this.#state === 'completing') return this.#endIfSpent()
    if (this.#drawing !== undefined) return this.#draw(this.#drawing)
    const work = this.#intake.next(this.#outlet === undefined || this.#outlet.room > 0)
    if (work === undefined) return this.#askSource()
    this.#do(work)
    return true
  }

  #do(work: Work): void {
    switch (work.kind) {
      case 'events':
        return this.#handle(work.link, work.events, work.events.length)
      case 'slice':
        return this.#handle(work.link, work.events, work.counted)
      case 'watermark':
        return this.#turns.whenGiven(this.#spec.onWatermark?.(work.time, this), (told) => {
          if (told !== 'held') this.#outlet?.mark(work)
        })
      case 'barrier':
        return this.#turns.whenGiven(this.#spec.onBarrier?.(work.epoch, this), () => this.#outlet?.mark(work))
      case 'end':
        this.#intake.leave(work.link)
        work.link.close(work.ending)
        return this.#inletEnded(work.link, work.ending)
      case 'message':
        return this.#answer(work)
      default:
        unreachable(work)
    }
  }

  // — taking —

  #handle(link: Link, events: Chunk<unknown>, counted: number): void {
    const before = this.#outlet?.emitted ?? 0
    const given = this.#spec.onEvents?.(this.#spec.usesChunks === true ? events : arrayOf(events), link, this)
    if (given === undefined) this.#outlet?.handed(events.length, before)
    // Written out rather than through `whenGiven`: a closure for each slice would cost more than the slice.
    if (isPromise(given)) this.#turns.whenGiven(given, (out) => this.#handled(link, counted, out))
    else this.#handled(link, counted, given)
  }

  #handled(link: Link, counted: number, out: Chunk<unknown> | Iterable<unknown> | Resumable | void): void {
    if (out !== undefined && this.#outlet !== undefined && this.#state !== 'ended') {
      if (!this.#takesAsChunk(out)) {
        this.#drawing = drawnFrom(out, link, counted)
        return
      }
      if (out.length > 0) this.#outlet.give(out, false)
    }
    // One that is to complete takes nothing more: it does not ask for it either.
    if (!this.#mustComplete) link.handled(counted)
  }

  /** Draws from a handler's iterator as much as is wanted. */
  #draw(drawing: Drawn): boolean {
    const room = this.#outlet?.room ?? 0
    if (room <= 0) return false
    const drawn = drawing.take(room)
    if (this.#state === 'ended') drawing.close()
    if (isPromise(drawn)) this.#turns.whenGiven(drawn, (events) => this.#drawn(drawing, events), true)
    else this.#drawn(drawing, drawn)
    if (this.#mustComplete) this.#turns.leaveWait()
    return true
  }

  #drawn(drawing: Drawn, events: readonly unknown[]): void {
    if (this.#state === 'ended') return
    if (drawing.isOver) this.#drawing = undefined
    if (events.length > 0) this.#outlet?.give(events, false)
    if (drawing.isOver) drawing.link.handled(drawing.counted)
  }

  #answer({ message, reply }: ToStage): void {
    try {
      const answer = this.#spec.onMessage?.(message, this)
      // The asker hears the answer, or the error, even if the stage ends meanwhile.
      if (reply !== undefined && isPromise(answer)) answer.then(reply.resolve, reply.reject)
      this.#turns.whenGiven(answer, (value) => reply?.resolve(value))
    } catch (error) {
      reply?.reject(error)
      throw error
    }
  }

  #inletEnded(link: Link, ending: Ending): void {
    this.#spec.onCancel?.(link, ending, this)
    const { policy } = link
    if (ending.kind === 'failed') {
      if (policy.onFailure === 'fail') this.fail(ending.error)
      return
    }
    const when = ending.kind === 'completed' ? policy.onComplete : policy.onCancel
    if (when === 'never') return
    if (ending.kind === 'cancelled') this.#cancelled = ending
    if (when === 'last' && (this.#intake.hasLasting || policy.awaitsMore?.() === true)) return
    if (this.#cancelled === undefined) this.complete()
    else this.#stop(this.#cancelled)
  }

  // — giving —

  /** Asks the source for what is newly wanted; false if nothing is. Called for each ask: demands are not merged. */
  #askSource(): boolean {
    if (this.#spec.onDemand === undefined || this.#outlet === undefined || this.#state !== 'open') return false
    const demand = this.#outlet.newDemand()
    if (demand === 0) return false
    const given = this.#spec.onDemand(demand, this)
    if (isPromise(given)) this.#turns.whenGiven(given, (events) => this.#given(events), true)
    else this.#given(given)
    return true
  }

  #given(events: Chunk<unknown> | void): void {
    if (events === undefined || this.#state === 'ended') return
    if (!this.#takesAsChunk(events)) {
      throw new TypeError(`onDemand of ${this.name} must give an array: found ${describeValue(events)}`)
    }
    if (events.length > 0) this.#outlet?.give(events, true)
  }

  /** Whether something that the author gave goes out as it is. */
  #takesAsChunk(given: unknown): given is Chunk<unknown> {
    return Array.isArray(given) || (this.#spec.usesChunks === true && isChunk(given))
  }

  /** A mark that the author sends; what goes wrong in a dispatcher is the stage's failure, not the caller's. */
  #put(marker: Marker): void {
    if (this.#state === 'ended') return
    try {
      this.#outlet?.mark(marker)
    } catch (error) {
      this.fail(error)
    }
    this.#turns.wake()
  }

  /** What came during a pause is as if it came now. */
  #replay(held: Ask | 'done'): boolean {
    if (held === 'done') return true
    this.#outlet?.serve(held)
    this.#askSource()
    return true
  }

  #consumerLeft(link: Link, ending: Ending): void {
    if (this.#outlet?.leave(link) !== true) return
    this.#spec.onCancel?.(link, ending, this)
    const isUnwanted = this.#outlet.links.size === 0 && !link.policy.keepsProducer
    if (isUnwanted && this.#spec.unwanted === 'end') return this.cancel(reasonOf(ending))
    this.#outlet.flush()
  }

  // — ending —

  #completeNow(): boolean {
    this.#mustComplete = false
    this.#state = 'completing'
    this.#drawing?.close()
    this.#drawing = undefined
    this.#intake.letGo({ kind: 'cancelled', reason: undefined })
    this.#turns.whenGiven(this.#spec.onComplete?.(this), (last) => {
      if (this.ending !== undefined) return
      if (last !== undefined && last.length > 0) this.#outlet?.give(last, false)
      this.#outlet?.end({ kind: 'end', ending: COMPLETED })
    })
    return true
  }

  #endIfSpent(): boolean {
    if (this.#outlet !== undefined && !this.#outlet.isSpent) return false
    // Held for somebody who never came.
    this.#outlet?.report(this.#outlet.clear())
    this.#stop(COMPLETED)
    return false
  }

  #stop(wanted: Ending): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    const ending = closedAtEnd(this.#drawing, wanted)
    this.#life.end(ending)
    this.#intake.letGo(ending)
    this.#outlet?.letGo(ending)
    for (const message of [...this.#mailbox.take(this.#mailbox.length), ...this.#intake.clear()]) refuse(message, this)
    if (!this.#turns.isBusy) this.#close()
    else this.#turns.leaveWait()
  }

  #close(): void {
    const ending = this.ending ?? COMPLETED
    this.#life.close(ending, () => this.#spec.onEnd?.(ending, this))
  }
}

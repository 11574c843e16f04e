// The one engine behind every kind of stage: a mailbox, a taking side, a giving side, and an end.

import { SluiceError } from '../base/errors.ts'
import { unreachable } from '../base/invariant.ts'
import { isPromise } from '../base/promise.ts'
import { Ring } from '../base/ring.ts'
import type { AnySpec } from './hooks.ts'
import { Intake, type Work } from './intake.ts'
import { Lifetime, reasonOf } from './lifetime.ts'
import type { Link, LinkEnd, SubscribeOptions } from './link.ts'
import { COMPLETED, type Ending, type Marker, type Message, type ToStage } from './message.ts'
import type { Outlet } from './outlet.ts'
import { Pause } from './pause.ts'
import { type Runnable, type Scheduler, threadScheduler } from './scheduler.ts'
import type { Producer, Stage, StageStats } from './stage.ts'

/** Things that a stage does before the next stage has its turn. */
const WORK_PER_STEP = 16

/**
 * A stage. Messages wait in its mailbox until the scheduler gives it a turn; a hook that returns a promise makes it
 * busy, and nothing else of it happens until that has settled. No stage calls another: they post.
 *
 * Invariants: at most one hook runs at a time; after the end nothing is sent, asked or handled; `settled` resolves
 * last, when the hook that was running and `onEnd` have returned.
 */
export class StageCore implements Stage, Producer<unknown>, LinkEnd, Runnable {
  readonly name: string
  readonly #spec: AnySpec
  readonly #scheduler: Scheduler
  /** The giving side; a consumer has none. */
  readonly #outlet: Outlet<unknown> | undefined
  readonly #intake = new Intake()
  readonly #mailbox = new Ring<Message<Link>>()
  readonly #pause: Pause
  /** The iterator that a handler gave, drawn from as demand allows, and what to do when it is drawn dry. */
  #drawing: { readonly iterator: Iterator<unknown>; readonly settle: () => void } | undefined
  /** Whether a hook's promise is being waited for. */
  #isBusy = false
  #isScheduled = false
  /** `completing`: nothing new is taken, what was made goes out. */
  #state: 'open' | 'completing' | 'ended' = 'open'
  /** Set by `complete`, acted on when the work in hand is done. */
  #mustComplete = false
  /** A producer was cancelled: the stage that ends for want of producers is cancelled too. */
  #cancelled: Ending | undefined
  #hasWarned = false
  readonly #life: Lifetime

  constructor(kind: string, spec: AnySpec, outlet: Outlet<unknown> | undefined) {
    this.name = spec.name ?? kind
    this.#life = new Lifetime(this.name)
    this.#spec = spec
    this.#outlet = outlet
    this.#scheduler = spec.scheduler ?? threadScheduler
    this.#pause = new Pause(spec.bufferSize ?? Number.POSITIVE_INFINITY, spec.whenFull ?? 'fail')
    this.#pause.isOn = spec.demand === 'accumulate'
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
    let surplus = 0
    for (const link of this.#intake.links) surplus += link.surplus
    return {
      name: this.name,
      state: this.#state === 'completing' ? 'ending' : this.#state,
      received: this.#intake.received,
      emitted: this.#outlet?.emitted ?? 0,
      buffered: (this.#outlet?.buffered ?? 0) + this.#pause.heldEvents,
      waiting: this.#intake.waiting,
      discarded: (this.#outlet?.discarded ?? 0) + this.#pause.discarded,
      surplus,
      producers: this.#intake.links.size,
      consumers: this.#outlet?.links.size ?? 0,
    }
  }

  request(message: unknown): Promise<unknown> {
    const reply = Promise.withResolvers<unknown>()
    this.post({ kind: 'message', message, reply })
    return reply.promise
  }

  notify(message: unknown): void {
    this.post({ kind: 'message', message, reply: undefined })
  }

  emit(events: readonly unknown[]): void {
    if (this.#state === 'ended' || this.#outlet?.isEnding !== false || events.length === 0) return
    if (this.#pause.isHolding) this.#reportLost(this.#pause.holdEvents(events))
    else this.#give(events, true)
  }

  watermark(time: number): void {
    this.#mark({ kind: 'watermark', time })
  }

  barrier(epoch: number): void {
    this.#mark({ kind: 'barrier', epoch })
  }

  pause(): void {
    this.#pause.isOn = true
  }

  resume(): void {
    this.#pause.isOn = false
    this.#wake()
  }

  complete(): void {
    if (this.#state !== 'open') return
    this.#mustComplete = true
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
    if (this.#state === 'ended') return this.#refuse(message)
    this.#mailbox.push(message)
    this.#wake()
  }

  /** Takes in a producer, and says so to it. Nothing is asked before `begin`. */
  join(link: Link): void {
    this.#intake.join(link)
    link.from.post({ kind: 'subscribe', link })
  }

  /** The first ask, or the author's own way of asking. */
  begin(link: Link): void {
    // The hook may ask by hand before it says that it will.
    const isManual = link.isManual
    link.isManual = true
    const mode = this.#spec.onSubscribe?.(link, this)
    link.isManual = mode === undefined ? isManual : mode === 'manual'
    link.open()
  }

  /** A subscription of this consumer ends; its producer is told. */
  leave(link: Link, ending: Ending): void {
    if (!this.#intake.leave(link)) return
    link.close(ending)
    link.from.post({ kind: 'cancel', link, ending })
    this.#inletEnded(link, ending)
    this.#wake()
  }

  step(): void {
    this.#isScheduled = false
    try {
      for (let work = 0; work < WORK_PER_STEP; work += 1) {
        if (this.#isBusy || this.#state === 'ended') return
        const message = this.#mailbox.shift()
        if (message !== undefined) this.#receive(message)
        else if (!this.#advance()) return
      }
    } catch (error) {
      this.fail(error)
    }
    this.#wake()
  }

  #wake(): void {
    if (this.#isScheduled || this.#isBusy || this.#state === 'ended') return
    this.#isScheduled = true
    this.#scheduler.schedule(this)
  }

  #receive(message: Message<Link>): void {
    switch (message.kind) {
      case 'events':
      case 'mark':
      case 'message':
        return this.#intake.accept(message)
      case 'ask':
        if (this.#pause.isHolding) return this.#pause.holdAsk(message)
        return this.#demand(message.link, message.events)
      case 'subscribe':
        return this.#welcome(message.link)
      case 'cancel':
        return this.#consumerLeft(message.link, message.ending)
      default:
        unreachable(message)
    }
  }

  /** Does the next thing there is to do; false if there is none. */
  #advance(): boolean {
    if (this.#pause.canReplay) return this.#replay()
    if (this.#mustComplete) return this.#completeNow()
    if (this.#state === 'completing') return this.#endIfSpent()
    if (this.#drawing !== undefined) return this.#draw()
    const work = this.#intake.next(this.#outlet === undefined || this.#outlet.room > 0)
    if (work === undefined) return this.#askSource()
    this.#do(work)
    return true
  }

  #do(work: Work): void {
    switch (work.kind) {
      case 'slice':
        return this.#handle(work)
      case 'watermark':
        return this.#then(this.#spec.onWatermark?.(work.time, this), () => this.#mark(work))
      case 'barrier':
        return this.#then(this.#spec.onBarrier?.(work.epoch, this), () => this.#mark(work))
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

  /** Goes on with what a hook gave: now if it is there, else when its promise has settled. */
  #then<T>(given: T | PromiseLike<T>, go: (value: T) => void): void {
    if (!isPromise(given)) return go(given)
    this.#isBusy = true
    given.then(
      (value) => this.#free(() => go(value)),
      (error: unknown) => this.#free(() => this.fail(error)),
    )
  }

  #free(go: () => void): void {
    this.#isBusy = false
    if (this.ending !== undefined) return this.#close(this.ending)
    try {
      go()
    } catch (error) {
      this.fail(error)
    }
    this.#wake()
  }

  // — taking —

  #handle({ link, events, counted }: Extract<Work, { kind: 'slice' }>): void {
    const given = this.#spec.onEvents?.(events, link, this)
    // Written out rather than through `#then`: a closure for each slice would cost more than the slice.
    if (isPromise(given)) this.#then(given, (out) => this.#handled(link, counted, out))
    else this.#handled(link, counted, given)
  }

  #handled(link: Link, counted: number, out: Iterable<unknown> | void): void {
    if (out === undefined || this.#outlet === undefined) return link.handled(counted)
    if (Array.isArray(out)) {
      if (out.length > 0) this.#give(out, false)
      return link.handled(counted)
    }
    this.#drawing = { iterator: out[Symbol.iterator](), settle: () => link.handled(counted) }
  }

  /** Draws from a handler's iterator as much as is wanted. */
  #draw(): boolean {
    const drawing = this.#drawing
    const room = this.#outlet?.room ?? 0
    if (drawing === undefined || room <= 0) return false
    const drawn: unknown[] = []
    while (drawn.length < room) {
      const { done, value } = drawing.iterator.next()
      if (done === true) {
        this.#drawing = undefined
        break
      }
      drawn.push(value)
    }
    if (drawn.length > 0) this.#give(drawn, false)
    if (this.#drawing === undefined) drawing.settle()
    return true
  }

  #answer({ message, reply }: ToStage): void {
    const hook = this.#spec.onMessage
    if (hook === undefined) throw new TypeError(`Stage ${this.name} was sent a message and has no onMessage`)
    try {
      this.#then(hook.call(this.#spec, message, this), (answer) => reply?.resolve(answer))
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
    if (ending.kind === 'cancelled') this.#cancelled = ending
    const when = ending.kind === 'completed' ? policy.onComplete : policy.onCancel
    if (when === 'never' || (when === 'last' && this.#intake.hasLasting)) return
    if (this.#cancelled === undefined) this.complete()
    else this.#stop(this.#cancelled)
  }

  // — giving —

  /** Takes a consumer in; one that the dispatcher cannot serve fails, and nobody else does. */
  #welcome(link: Link): void {
    try {
      this.#outlet?.join(link)
    } catch (error) {
      link.to.post({ kind: 'mark', link, mark: { kind: 'end', ending: { kind: 'failed', error } } })
    }
  }

  #demand(link: Link, events: number): void {
    this.#outlet?.ask(link, events)
    if (this.#state === 'open') this.#askSource()
  }

  /** Asks the source for what is newly wanted; false if nothing is. */
  #askSource(): boolean {
    if (this.#spec.onDemand === undefined || this.#outlet === undefined || this.#pause.isOn) return false
    const demand = this.#outlet.newDemand()
    if (demand === 0) return false
    const given = this.#spec.onDemand?.(demand, this)
    if (isPromise(given)) this.#then(given, (events) => this.#given(events))
    else this.#given(given)
    return true
  }

  #given(events: readonly unknown[] | void): void {
    if (events !== undefined && events.length > 0) this.#give(events, true)
  }

  #give(events: readonly unknown[], isBounded: boolean): void {
    const lost = this.#outlet?.emit(events, isBounded) ?? 0
    if (lost !== 0) this.#reportLost(lost)
  }

  #mark(marker: Marker): void {
    if (this.#state === 'ended' || this.#outlet?.isEnding !== false) return
    if (this.#pause.isHolding) this.#pause.holdMarker(marker)
    else this.#outlet.mark(marker)
  }

  /** One thing that came while paused, as if it came now. */
  #replay(): boolean {
    const held = this.#pause.shift()
    if (held === undefined) return false
    if (held.kind === 'ask') this.#demand(held.link, held.events)
    else if (held.kind === 'emit') this.#give(held.events, true)
    else this.#outlet?.mark(held)
    return true
  }

  #consumerLeft(link: Link, ending: Ending): void {
    if (this.#outlet?.leave(link) !== true) return
    this.#spec.onCancel?.(link, ending, this)
    const isUnwanted = this.#outlet.links.size === 0 && !link.policy.keepsProducer
    if (isUnwanted && this.#spec.unwanted === 'end') return this.cancel(reasonOf(ending))
    this.#outlet.flush()
  }

  #reportLost(lost: number): void {
    if (lost === 0) return
    const size = this.#spec.bufferSize ?? 0
    if (lost < 0) {
      const message = `Stage ${this.name} cannot keep more events: its buffer of ${size} is full and nobody asks`
      return this.fail(new SluiceError('BUFFER_FULL', message, { stage: this.name, size }))
    }
    if (this.#spec.onDiscard !== undefined) return this.#spec.onDiscard(lost)
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      `Stage ${this.name} discards events: its buffer of ${size} is full (give onDiscard to hear of each)`,
    )
  }

  // — ending —

  #completeNow(): boolean {
    this.#mustComplete = false
    this.#state = 'completing'
    this.#dropDrawing()
    this.#letProducersGo({ kind: 'cancelled', reason: undefined })
    this.#then(this.#spec.onComplete?.(this), (last) => {
      if (last !== undefined && last.length > 0) this.#give(last, false)
      this.#outlet?.mark({ kind: 'end', ending: COMPLETED })
    })
    return true
  }

  #endIfSpent(): boolean {
    if (this.#outlet !== undefined && !this.#outlet.isSpent) return false
    this.#outlet?.clear()
    this.#stop(COMPLETED)
    return false
  }

  #stop(wanted: Ending): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    const ending = this.#dropDrawingAtEnd(wanted)
    this.#life.end(ending)
    this.#letProducersGo(ending)
    if (this.#outlet !== undefined) {
      this.#outlet.clear()
      for (const link of [...this.#outlet.links]) {
        this.#outlet.leave(link)
        link.to.post({ kind: 'mark', link, mark: { kind: 'end', ending } })
      }
    }
    for (const message of [...this.#mailbox.take(this.#mailbox.length), ...this.#intake.clear()]) this.#refuse(message)
    if (!this.#isBusy) this.#close(ending)
  }

  #letProducersGo(ending: Ending): void {
    for (const link of [...this.#intake.links]) {
      this.#intake.leave(link)
      link.close(ending)
      link.from.post({ kind: 'cancel', link, ending })
    }
  }

  #dropDrawing(): void {
    const drawing = this.#drawing
    this.#drawing = undefined
    drawing?.iterator.return?.()
  }

  /** A generator that throws as it is closed makes the stage fail, unless it has failed already. */
  #dropDrawingAtEnd(ending: Ending): Ending {
    try {
      this.#dropDrawing()
      return ending
    } catch (error) {
      return ending.kind === 'failed' ? ending : { kind: 'failed', error }
    }
  }

  #close(ending: Ending): void {
    this.#life.close(ending, () => this.#spec.onEnd?.(ending, this))
  }

  /** A message for a stage that has ended: who waits for an answer gets one. */
  #refuse(message: Message<Link>): void {
    if (message.kind === 'message') {
      message.reply?.reject(new Error(`Stage ${this.name} has ended`, { cause: this.ending && reasonOf(this.ending) }))
    } else if (message.kind === 'subscribe') {
      const ending = this.ending ?? COMPLETED
      message.link.to.post({ kind: 'mark', link: message.link, mark: { kind: 'end', ending } })
    }
  }
}

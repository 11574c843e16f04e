// What came to a stage, and the hooks that are called for it: events, marks, messages, demand, ends of subscriptions.

import { describeValue } from '../base/check.ts'
import { unreachable } from '../base/invariant.ts'
import { isPromise } from '../base/promise.ts'
import { arrayOf, type Chunk } from './chunk.ts'
import { type Drawn, drawnFrom, type Resumable } from './drawing.ts'
import { type AnySpec, type ChunkStage, givesChunk, putsOff } from './hooks.ts'
import { Intake, type Work } from './intake.ts'
import { reasonOf } from './lifetime.ts'
import type { Link } from './link.ts'
import type { Ending, Left, ToHandle, ToProducer, ToStage } from './message.ts'
import type { Outlet } from './outlet.ts'
import type { Turns } from './turns.ts'

/** A stage, as the calls of its hooks need it. */
export interface StageParts {
  readonly stage: ChunkStage & { readonly isOpen: boolean; readonly isClosing: boolean }
  readonly spec: AnySpec
  readonly turns: Turns
  /** Where the results of hooks go; a consumer has none. */
  readonly outlet: Outlet<unknown> | undefined
}

/** The rest of a hook's output, and what to do once all of it has come. */
interface Drawing {
  readonly drawn: Drawn
  readonly done: () => void
}

/** What `onEvents` returned, at once or later. */
type Out = Chunk<unknown> | Iterable<unknown> | Resumable | void

/**
 * Calls hooks, one at a time. Messages are handled in order; while something is being drawn, or there is no demand,
 * they wait.
 */
export class HookCalls {
  readonly intake: Intake = new Intake()
  readonly #stage: StageParts['stage']
  readonly #spec: AnySpec
  readonly #usesChunks: boolean
  /** Called for each slice, and each ask: kept as fields, as looking them up in the spec each time is slower. */
  readonly #onEvents: AnySpec['onEvents']
  readonly #onDemand: AnySpec['onDemand']
  readonly #turns: Turns
  readonly #outlet: Outlet<unknown> | undefined
  #drawing: Drawing | undefined
  /** A producer was cancelled: a stage that ends because it has no producers left is cancelled, too. */
  #cancelled: Extract<Ending, { kind: 'cancelled' }> | undefined

  constructor({ stage, spec, turns, outlet }: StageParts) {
    this.#stage = stage
    this.#spec = spec
    this.#usesChunks = spec.usesChunks === true
    this.#onEvents = spec.onEvents
    this.#onDemand = spec.onDemand
    this.#turns = turns
    this.#outlet = outlet
  }

  receive(message: ToProducer<Link> | Left<Link>): void {
    switch (message.kind) {
      case 'ask':
        if (this.#outlet?.ask(message) === true) this.#askSource()
        return
      case 'cancel':
        return this.#consumerLeft(message.link, message.ending)
      case 'left':
        return this.#producerEnded(message.link, message.ending)
      default:
        unreachable(message)
    }
  }

  /** Continues deferred work of a hook; false if there is nothing, or no demand. */
  draw(): boolean {
    return this.#drawing !== undefined && this.#draw(this.#drawing)
  }

  /** Does the next thing; false if nothing is left, or it must wait. */
  advance(): boolean {
    if (this.#drawing !== undefined) return this.#draw(this.#drawing)
    if (this.intake.isEmpty) return this.#askSource()
    const work = this.intake.next(this.#outlet === undefined || this.#outlet.room > 0)
    if (work === undefined) return this.#askSource()
    if (work.kind === 'events') this.#handle(work)
    else this.#do(work)
    return true
  }

  /** Takes one message that came during a pause, as if it came now; false if there is no message. */
  replay(): boolean {
    if (this.#outlet?.replay() !== true) return false
    this.#askSource()
    return true
  }

  /** Nothing more of what is being drawn is wanted: it is not awaited. */
  giveUp(): void {
    if (this.#drawing !== undefined) this.#turns.leaveWait()
  }

  /** Continues with `then` when a hook is done, including its deferred work. */
  after<T>(given: T | PromiseLike<T>, then: (given: T) => void): void {
    if (!putsOff(this.#spec, given)) return this.#turns.whenGiven(given, then)
    this.#drawing = { drawn: drawnFrom(given, this.#stage.name), done: () => then(given) }
  }

  /** Closes what is being drawn. @throws the error of a generator */
  close(): void {
    const drawing = this.#drawing
    this.#drawing = undefined
    drawing?.drawn.close()
  }

  #do(work: Exclude<Work, ToHandle<Link>>): void {
    switch (work.kind) {
      case 'watermark':
        return this.after(this.#spec.onWatermark?.(work.time, this.#stage), (told) => {
          // If a hook defers work, the mark is sent after that work.
          if (told !== 'held' && !putsOff(this.#spec, told)) this.#outlet?.mark(work)
        })
      case 'barrier':
        return this.after(this.#spec.onBarrier?.(work.epoch, this.#stage), () => this.#outlet?.mark(work))
      case 'end':
        this.intake.leave(work.link)
        work.link.close(work.ending)
        return this.#producerEnded(work.link, work.ending)
      case 'message':
        return this.#answer(work)
      default:
        unreachable(work)
    }
  }

  #handle({ link, events, counted }: ToHandle<Link>): void {
    const before = this.#outlet?.emitted ?? 0
    const given = this.#onEvents?.(this.#usesChunks ? events : arrayOf(events), link, this.#stage)
    if (given === undefined) this.#outlet?.handed(events.length, before)
    if (isPromise(given)) this.#handledLater(link, counted, given)
    else this.#handled(link, counted, given)
  }

  /** Closures have functions of their own: a function that makes one pays for it in every call. */
  #handledLater(link: Link, counted: number, given: PromiseLike<Out>): void {
    this.#turns.whenGiven(given, (out) => this.#handled(link, counted, out))
  }

  #handled(link: Link, counted: number, out: Out): void {
    if (out !== undefined && this.#outlet !== undefined && this.#stage.ending === undefined) {
      if (!givesChunk(this.#spec, out)) return this.#drawLater(link, counted, out)
      if (out.length > 0) this.#outlet.give(out, false)
    }
    // A completing stage takes nothing more: it does not ask, either.
    if (this.#stage.isOpen) link.handled(counted)
  }

  #drawLater(link: Link, counted: number, out: unknown): void {
    this.#drawing = { drawn: drawnFrom(out, this.#stage.name), done: () => link.handled(counted) }
  }

  /** Draws from a handler's iterator as much as is wanted. */
  #draw(drawing: Drawing): boolean {
    const room = this.#outlet?.room ?? 0
    if (room <= 0) return false
    const events = drawing.drawn.take(room)
    if (this.#stage.ending !== undefined) drawing.drawn.close()
    if (isPromise(events)) this.#turns.whenGiven(events, (later) => this.#drew(drawing, later), true)
    else this.#drew(drawing, events)
    if (this.#stage.isClosing) this.#turns.leaveWait()
    return true
  }

  #drew(drawing: Drawing, events: readonly unknown[]): void {
    if (this.#stage.ending !== undefined) return
    const { drawn, done } = drawing
    if (drawn.isOver) this.#drawing = undefined
    if (events.length > 0) this.#outlet?.give(events, false)
    if (drawn.isOver) done()
  }

  #answer({ message, reply }: ToStage): void {
    try {
      const answer = this.#spec.onMessage?.(message, this.#stage)
      // The caller gets the answer, or the error, even if the stage ends meanwhile.
      if (reply !== undefined && isPromise(answer)) answer.then(reply.resolve, reply.reject)
      this.after(answer, (value) => reply?.resolve(value))
    } catch (error) {
      reply?.reject(error)
      throw error
    }
  }

  /** Asks the source for what is newly wanted; false if nothing is. Called for each ask: demands are not merged. */
  #askSource(): boolean {
    if (this.#onDemand === undefined || this.#outlet === undefined || !this.#stage.isOpen) return false
    const demand = this.#outlet.newDemand()
    if (demand === 0) return false
    const given = this.#onDemand(demand, this.#stage)
    if (isPromise(given)) this.#turns.whenGiven(given, (events) => this.#given(events), true)
    else this.#given(given)
    return true
  }

  #given(events: Chunk<unknown> | void): void {
    if (events === undefined || this.#stage.ending !== undefined) return
    if (!givesChunk(this.#spec, events)) {
      throw new TypeError(`onDemand of ${this.#stage.name} must return an array: found ${describeValue(events)}`)
    }
    if (events.length > 0) this.#outlet?.give(events, true)
  }

  #consumerLeft(link: Link, ending: Ending): void {
    if (this.#outlet?.leave(link) !== true) return
    this.#spec.onCancel?.(link, ending, this.#stage)
    const isUnwanted = this.#outlet.links.size === 0 && !link.policy.keepsProducer
    if (isUnwanted && this.#spec.unwanted === 'end') return this.#stage.cancel(reasonOf(ending))
    this.#outlet.flush()
  }

  /** The stage may end with its producer. */
  #producerEnded(link: Link, ending: Ending): void {
    const given = this.#spec.onCancel?.(link, ending, this.#stage)
    this.after(putsOff(this.#spec, given) ? given : undefined, () => this.#endWith(link, ending))
  }

  #endWith({ policy }: Link, ending: Ending): void {
    if (ending.kind === 'failed') {
      if (policy.onFailure === 'fail') this.#stage.fail(ending.error)
      return
    }
    const when = ending.kind === 'completed' ? policy.onComplete : policy.onCancel
    if (when === 'never') return
    if (ending.kind === 'cancelled') this.#cancelled = ending
    if (when === 'last' && (this.intake.hasLasting || policy.awaitsMore?.() === true)) return
    if (this.#cancelled === undefined) this.#stage.complete()
    else this.#stage.cancel(this.#cancelled.reason)
  }
}

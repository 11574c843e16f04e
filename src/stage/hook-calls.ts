// What came to a stage, and the hooks that are called for it: events, marks, messages, demand, subscriptions that end.

import { describeValue } from '../base/check.ts'
import { unreachable } from '../base/invariant.ts'
import { isPromise } from '../base/promise.ts'
import { arrayOf, type Chunk } from './chunk.ts'
import { type Drawn, drawnFrom, type Resumable } from './drawing.ts'
import { type AnySpec, type ChunkStage, givesChunk } from './hooks.ts'
import { Intake, type Work } from './intake.ts'
import { reasonOf } from './lifetime.ts'
import type { Link } from './link.ts'
import type { Ending, Message, ToStage } from './message.ts'
import type { Outlet } from './outlet.ts'
import type { Turns } from './turns.ts'

/** A stage, as the calls of its hooks need it. */
export interface StageParts {
  readonly stage: ChunkStage & { readonly isOpen: boolean }
  readonly spec: AnySpec
  readonly turns: Turns
  /** Where what hooks give goes out; a consumer has none. */
  readonly outlet: Outlet<unknown> | undefined
}

/** What is still to come of a call of `onEvents`; the events that it was called with count as handled at its end. */
interface Drawing {
  readonly drawn: Drawn
  readonly link: Link
  readonly counted: number
}

/**
 * Calls hooks, one at a time. What came is handled in its order; while something is being drawn, or nobody misses events,
 * it waits.
 */
export class HookCalls {
  readonly intake: Intake = new Intake()
  readonly #parts: StageParts
  #drawing: Drawing | undefined
  /** A producer was cancelled: the stage that ends for want of producers is cancelled too. */
  #cancelled: Extract<Ending, { kind: 'cancelled' }> | undefined

  constructor(parts: StageParts) {
    this.#parts = parts
  }

  receive(message: Message<Link>): void {
    switch (message.kind) {
      case 'events':
      case 'mark':
      case 'message':
        return this.intake.accept(message)
      case 'ask':
        if (this.#parts.outlet?.ask(message) === true) this.#askSource()
        return
      case 'cancel':
        return this.#consumerLeft(message.link, message.ending)
      case 'left':
        return this.#producerEnded(message.link, message.ending)
      default:
        unreachable(message)
    }
  }

  /** Does the next thing; false if nothing is left, or it must wait. */
  advance(): boolean {
    if (this.#drawing !== undefined) return this.#draw(this.#drawing)
    const { outlet } = this.#parts
    const work = this.intake.next(outlet === undefined || outlet.room > 0)
    if (work === undefined) return this.#askSource()
    this.#do(work)
    return true
  }

  /** Takes up one thing that came during a pause, as if it came now; false if there is none. */
  replay(): boolean {
    if (this.#parts.outlet?.replay() !== true) return false
    this.#askSource()
    return true
  }

  /** Nothing more of what is being drawn is wanted: it is not waited for. */
  giveUp(): void {
    if (this.#drawing !== undefined) this.#parts.turns.leaveWait()
  }

  /** Closes what is being drawn. @throws what a generator throws then */
  close(): void {
    const drawing = this.#drawing
    this.#drawing = undefined
    drawing?.drawn.close()
  }

  #do(work: Work): void {
    const { stage, spec, turns, outlet } = this.#parts
    switch (work.kind) {
      case 'events':
        return this.#handle(work.link, work.events, work.counted)
      case 'watermark':
        return turns.whenGiven(spec.onWatermark?.(work.time, stage), (told) => {
          if (told !== 'held') outlet?.mark(work)
        })
      case 'barrier':
        return turns.whenGiven(spec.onBarrier?.(work.epoch, stage), () => outlet?.mark(work))
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

  #handle(link: Link, events: Chunk<unknown>, counted: number): void {
    const { stage, spec, turns, outlet } = this.#parts
    const before = outlet?.emitted ?? 0
    const given = spec.onEvents?.(spec.usesChunks === true ? events : arrayOf(events), link, stage)
    if (given === undefined) outlet?.handed(events.length, before)
    // Written out rather than through `whenGiven`: a closure for each slice would cost more than the slice.
    if (isPromise(given)) turns.whenGiven(given, (out) => this.#handled(link, counted, out))
    else this.#handled(link, counted, given)
  }

  #handled(link: Link, counted: number, out: Chunk<unknown> | Iterable<unknown> | Resumable | void): void {
    const { stage, spec, outlet } = this.#parts
    if (out !== undefined && outlet !== undefined && stage.ending === undefined) {
      if (!givesChunk(spec, out)) {
        this.#drawing = { drawn: drawnFrom(out, stage.name), link, counted }
        return
      }
      if (out.length > 0) outlet.give(out, false)
    }
    // One that is to complete takes nothing more: it does not ask for it either.
    if (stage.isOpen) link.handled(counted)
  }

  /** Draws from a handler's iterator as much as is wanted. */
  #draw(drawing: Drawing): boolean {
    const { stage, turns, outlet } = this.#parts
    const room = outlet?.room ?? 0
    if (room <= 0) return false
    const events = drawing.drawn.take(room)
    if (stage.ending !== undefined) drawing.drawn.close()
    if (isPromise(events)) turns.whenGiven(events, (later) => this.#drew(drawing, later), true)
    else this.#drew(drawing, events)
    if (!stage.isOpen) turns.leaveWait()
    return true
  }

  #drew(drawing: Drawing, events: readonly unknown[]): void {
    const { stage, outlet } = this.#parts
    if (stage.ending !== undefined) return
    const { drawn, link, counted } = drawing
    if (drawn.isOver) this.#drawing = undefined
    if (events.length > 0) outlet?.give(events, false)
    if (drawn.isOver) link.handled(counted)
  }

  #answer({ message, reply }: ToStage): void {
    const { stage, spec, turns } = this.#parts
    try {
      const answer = spec.onMessage?.(message, stage)
      // The asker hears the answer, or the error, even if the stage ends meanwhile.
      if (reply !== undefined && isPromise(answer)) answer.then(reply.resolve, reply.reject)
      turns.whenGiven(answer, (value) => reply?.resolve(value))
    } catch (error) {
      reply?.reject(error)
      throw error
    }
  }

  /** Asks the source for what is newly wanted; false if nothing is. Called for each ask: demands are not merged. */
  #askSource(): boolean {
    const { stage, spec, turns, outlet } = this.#parts
    if (spec.onDemand === undefined || outlet === undefined || !stage.isOpen) return false
    const demand = outlet.newDemand()
    if (demand === 0) return false
    const given = spec.onDemand(demand, stage)
    if (isPromise(given)) turns.whenGiven(given, (events) => this.#given(events), true)
    else this.#given(given)
    return true
  }

  #given(events: Chunk<unknown> | void): void {
    const { stage, spec, outlet } = this.#parts
    if (events === undefined || stage.ending !== undefined) return
    if (!givesChunk(spec, events)) {
      throw new TypeError(`onDemand of ${stage.name} must give an array: found ${describeValue(events)}`)
    }
    if (events.length > 0) outlet?.give(events, true)
  }

  #consumerLeft(link: Link, ending: Ending): void {
    const { stage, spec, outlet } = this.#parts
    if (outlet?.leave(link) !== true) return
    spec.onCancel?.(link, ending, stage)
    const isUnwanted = outlet.links.size === 0 && !link.policy.keepsProducer
    if (isUnwanted && spec.unwanted === 'end') return stage.cancel(reasonOf(ending))
    outlet.flush()
  }

  /** The stage may end with its producer. */
  #producerEnded(link: Link, ending: Ending): void {
    const { stage, spec } = this.#parts
    spec.onCancel?.(link, ending, stage)
    const { policy } = link
    if (ending.kind === 'failed') {
      if (policy.onFailure === 'fail') stage.fail(ending.error)
      return
    }
    const when = ending.kind === 'completed' ? policy.onComplete : policy.onCancel
    if (when === 'never') return
    if (ending.kind === 'cancelled') this.#cancelled = ending
    if (when === 'last' && (this.intake.hasLasting || policy.awaitsMore?.() === true)) return
    if (this.#cancelled === undefined) stage.complete()
    else stage.cancel(this.#cancelled.reason)
  }
}

// flatMap: what a function gives for each event, drawn no further than is wanted.

import { Ring } from '../../base/ring.ts'
import { give, type MakeStep, type Port, type Step, type StepContext } from '../step.ts'

/** Events handed on at once, and the most drawn from iterators before the stage looks whether anybody wants more. */
const AT_ONCE = 1024

type Given = Iterable<unknown>

export function flatMap(fn: (value: never) => Given): MakeStep {
  return (next, context) => new FlatMap(fn as (value: unknown) => Given, next, context)
}

/** Something that came while work was put off. */
type Waiting =
  | { readonly kind: 'events'; readonly batch: readonly unknown[]; readonly input: number }
  | { readonly kind: 'watermark'; readonly time: number }

/**
 * Arrays are handed on as they are. An iterator is drawn {@link AT_ONCE} events at a time: is it not at its end by then,
 * the rest is put off, so that an endless one fills no memory.
 */
class FlatMap implements Step {
  readonly #fn: (value: unknown) => Given
  readonly #next: Port
  readonly #context: StepContext
  /** What is under way: a batch, how far it is, and an iterator that is not at its end. */
  #batch: readonly unknown[] = []
  #at = 0
  #iterator: Iterator<unknown> | undefined
  /** What came meanwhile, from a `flatMap` above that was told to go on. */
  readonly #waiting = new Ring<Waiting>(2)

  constructor(fn: (value: unknown) => Given, next: Port, context: StepContext) {
    this.#fn = fn
    this.#next = next
    this.#context = context
  }

  get isSuspended(): boolean {
    return this.#iterator !== undefined || this.#at < this.#batch.length || this.#waiting.length > 0
  }

  events(batch: readonly unknown[]): void {
    if (this.isSuspended) this.#waiting.push({ kind: 'events', batch, input: this.#context.input })
    else this.#begin(batch)
  }

  watermark(time: number): void {
    if (this.isSuspended) this.#waiting.push({ kind: 'watermark', time })
    else this.#next.watermark(time)
  }

  end(): void {}

  resume(): void {
    if (this.#context.isStopped) return this.drop()
    if (this.#iterator !== undefined || this.#at < this.#batch.length) return this.#expand()
    const waiting = this.#waiting.shift()
    if (waiting === undefined) return
    if (waiting.kind === 'watermark') return this.#next.watermark(waiting.time)
    this.#context.input = waiting.input
    this.#begin(waiting.batch)
  }

  drop(): void {
    const iterator = this.#iterator
    this.#iterator = undefined
    this.#at = this.#batch.length
    this.#waiting.clear()
    iterator?.return?.()
  }

  #begin(batch: readonly unknown[]): void {
    this.#batch = batch
    this.#at = 0
    this.#expand()
  }

  #expand(): void {
    let out: unknown[] = []
    let drawn = 0
    while (drawn < AT_ONCE && !this.#context.isStopped) {
      const given = this.#iterator ?? this.#nextGiven()
      if (given === undefined) break
      if (Array.isArray(given)) {
        for (const value of given) out.push(value)
      } else drawn += this.#draw(given as Iterator<unknown>, out, AT_ONCE - drawn)
      if (out.length < AT_ONCE) continue
      this.#next.events(out)
      out = []
    }
    give(this.#next, out)
    if (this.#context.isStopped) this.drop()
  }

  /** What the next event of the batch gives: an array, or an iterator just opened. */
  #nextGiven(): readonly unknown[] | Iterator<unknown> | undefined {
    if (this.#at >= this.#batch.length) return undefined
    const given = this.#fn(this.#batch[this.#at])
    this.#at += 1
    return Array.isArray(given) ? given : given[Symbol.iterator]()
  }

  /** Draws up to `count` events; keeps the iterator unless it has ended. One that throws is not closed again. */
  #draw(iterator: Iterator<unknown>, out: unknown[], count: number): number {
    this.#iterator = undefined
    for (let drawn = 0; drawn < count; drawn += 1) {
      const { done, value } = iterator.next()
      if (done === true) return drawn
      out.push(value)
    }
    this.#iterator = iterator
    return count
  }
}

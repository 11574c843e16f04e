// Sources that are pulled: iterables, async iterables and streams become producers.

import { asyncIteratorOf, closeIterator, discard, takesSignal } from '../base/async-source.ts'
import { checkKeys, describeValue } from '../base/check.ts'
import type { ProducerSpec } from './hooks.ts'
import { producer } from './make.ts'
import type { Producer } from './stage.ts'

/**
 * Anything that returns values on request: arrays, generators, Node and web streams, or a function that makes one. The
 * function gets a signal that is aborted when the stage ends, so that a waiting source can be aborted.
 */
export type Pullable<T> = Iterable<T> | AsyncIterable<T> | ((signal: AbortSignal) => Iterable<T> | AsyncIterable<T>)

/** Options of `from`. */
export type FromOptions<T> = Pick<ProducerSpec<T>, 'name' | 'dispatcher' | 'demand' | 'scheduler'>

/** The most values pulled from a synchronous iterator before the events are emitted. */
const PULL_AT_ONCE = 4096

/**
 * A producer over any iterable. Its iterator is opened once, at the first demand, and closed once: at its end, and on
 * cancellation and failure by its `return()`.
 *
 * - **Closes** at once even while a value is awaited: a stream is destroyed or cancelled, a generator is told and not
 *   awaited. A function that takes the signal is trusted to stop waiting, and is awaited for at most 3 seconds.
 * - **Emits** what is there: a slow source does not hold back values that it has returned already, and none are lost if
 *   it throws.
 * - **Completes** at the iterator's end, and is cancelled when its last consumer has left.
 * - **Fails** with the error of the iterator.
 *
 * A string is rejected: it would be a source of characters.
 *
 * @throws {TypeError} if `source` cannot be iterated
 * @example
 * await Array.fromAsync(toIterable(from(['a', 'b', 'c']))) // => ['a', 'b', 'c']
 * @see GenStage, lib/gen_stage/streamer.ex; unlike there, a source need not meet the whole demand before its events are
 *   emitted
 */
export function from<T>(source: Pullable<T>, options: FromOptions<T> = {}): Producer<T> {
  checkKeys('from', options, ['name', 'dispatcher', 'demand', 'scheduler'])
  const opened = typeof source === 'function' ? undefined : source
  if (typeof source !== 'function' && !isIterable(opened)) {
    throw new TypeError(`A source is an iterable, or a function that returns one: found ${describeValue(source)}`)
  }
  const pulled = new Pulled<T>(source)
  return producer<T>({
    name: 'source',
    ...options,
    unwanted: 'end',
    onDemand: (demand, self) => pulled.onDemand(demand, self),
    onComplete: () => pulled.stop(),
    onEnd: () => pulled.close(),
  })
}

type AnyIterator<T> = { readonly sync: Iterator<T> } | { readonly async: AsyncIterator<T> }

class Pulled<T> {
  readonly #source: Pullable<T>
  /** Open from the first demand to the end. */
  #iterator: AnyIterator<T> | undefined
  #isDone = false
  /** Asked for and not yet pulled. */
  #missing = 0
  /** Pulled and not yet emitted: only while an async iterator answers within one turn of the event loop. */
  #pulled: T[] = []
  /** The pending flush of `#pulled`. */
  #flush: NodeJS.Immediate | undefined
  /** Whether the loop over an async iterator runs, and whether it waits for the next value. */
  #isLooping = false
  #isWaiting = false

  constructor(source: Pullable<T>) {
    this.#source = source
  }

  onDemand(demand: number, self: Producer<T>): void {
    this.#missing += demand
    if (this.#isDone) return
    const source = this.#source
    this.#iterator ??= openIterator(typeof source === 'function' ? source(self.signal) : source)
    if ('sync' in this.#iterator) this.#pullSync(this.#iterator.sync, self)
    else if (!this.#isLooping) void this.#pullAsync(this.#iterator.async, self)
  }

  /** Stops pulling; returns what was pulled and not emitted. */
  stop(): readonly T[] {
    this.#missing = 0
    clearImmediate(this.#flush)
    return this.#pulled
  }

  /** Closes the iterator unless it has ended; waits for it, but not for a value that may never come. */
  close(): Promise<void> | void {
    clearImmediate(this.#flush)
    if (this.#isDone) return
    this.#isDone = true
    if (this.#iterator === undefined) return discard(this.#source)
    if ('sync' in this.#iterator) return void this.#iterator.sync.return?.()
    const isPending = (): boolean => this.#isWaiting
    return closeIterator(this.#iterator.async, { isPending, hasSignal: takesSignal(this.#source) })
  }

  #pullSync(iterator: Iterator<T>, self: Producer<T>): void {
    while (this.#missing > 0 && !this.#isDone) {
      const events: T[] = []
      const count = Math.min(this.#missing, PULL_AT_ONCE)
      try {
        while (events.length < count) {
          const next = this.#nextOf(iterator)
          if (next.done === true) break
          events.push(next.value)
        }
      } finally {
        this.#missing -= events.length
        self.emit(events)
      }
    }
    if (this.#isDone) self.complete()
  }

  /** One step of a synchronous iterator: one that throws, or ends, is not closed again. */
  #nextOf(iterator: Iterator<T>): IteratorResult<T> {
    let isFine = false
    try {
      const next = iterator.next()
      isFine = next.done !== true
      return next
    } finally {
      if (!isFine) this.#isDone = true
    }
  }

  async #pullAsync(iterator: AsyncIterator<T>, self: Producer<T>): Promise<void> {
    this.#isLooping = true
    try {
      while (this.#missing > 0) {
        this.#isWaiting = true
        const next = await iterator.next()
        this.#isWaiting = false
        if (this.#isDone) return
        if (next.done === true) {
          this.#isDone = true
          break
        }
        this.#missing -= 1
        this.#keep(next.value, self)
      }
    } catch (error) {
      if (this.#isDone) return
      this.#isDone = true
      this.#emit(self)
      self.fail(error)
    } finally {
      this.#isLooping = false
      this.#isWaiting = false
    }
    this.#emit(self)
    if (this.#isDone) self.complete()
  }

  /** Values that come in one burst are emitted together, at the latest before the event loop continues. */
  #keep(value: T, self: Producer<T>): void {
    this.#pulled.push(value)
    if (this.#pulled.length >= PULL_AT_ONCE) this.#emit(self)
    else this.#flush ??= setImmediate(() => this.#emit(self))
  }

  #emit(self: Producer<T>): void {
    clearImmediate(this.#flush)
    this.#flush = undefined
    const events = this.#pulled
    this.#pulled = []
    self.emit(events)
  }
}

function openIterator<T>(source: Iterable<T> | AsyncIterable<T>): AnyIterator<T> {
  if (Symbol.asyncIterator in source) return { async: asyncIteratorOf(source) }
  if (Symbol.iterator in source) return { sync: source[Symbol.iterator]() }
  throw new TypeError(`A source must be iterable: found ${describeValue(source)}`)
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
}

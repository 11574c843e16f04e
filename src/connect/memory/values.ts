// The source of values in a program, or generated one after the other.

import { asyncIteratorOf, closeIterator, takesSignal } from '../../base/async-source.ts'
import { describeValue, isCount } from '../../base/check.ts'
import { orClose } from '../../base/closing.ts'
import { SluiceError } from '../../base/errors.ts'
import { isPromise, untilAborted } from '../../base/promise.ts'
import { batchOf, type ReadBatch } from '../batch.ts'
import type { Json, OpenOptions, Source, SourceCounts, SplitReader } from '../source.ts'

/**
 * Values, or a function that returns them again each time. The function gets a signal that is aborted when the run
 * stops reading, so that a waiting source can be aborted.
 */
export type ValuesInput<T> = Iterable<T> | ((signal: AbortSignal) => Iterable<T> | AsyncIterable<T>)

const SPLIT = 'values'

/** How much of a value is stored as its raw form, in characters. */
const RAW_CHARS = 1024

/**
 * Emits the values of an iterable, in order.
 *
 * - **Resume**: the position is how many were emitted. A later run iterates again and skips these: the values must be
 *   the same each time. A generator that was started is not: pass the function that makes it.
 * - **Origins** count from 0, as the offset in `values`; the raw form is the value as JSON, up to 1,024 characters, as
 *   of when it is requested.
 * - **Errors** of the iterable are passed on unchanged.
 *
 * @throws {TypeError} for a non-iterable; from `open`: POSITION_LOST if there are fewer values than before
 * @example
 * valuesSource([1, 2, 3]).title // => 'values'
 */
export function valuesSource<T>(input: ValuesInput<T>): Source<T> {
  if (typeof input !== 'function' && !isIterable(input)) {
    throw new TypeError(`valuesSource takes an iterable, or a function that returns one: found ${describeValue(input)}`)
  }
  return {
    kind: 'values',
    title: 'values',
    provided: 'as long as they are the same each time',
    isCounted: true,
    splits: async () => [{ id: SPLIT }],
    open: async (_split, from, { signal = new AbortController().signal }: OpenOptions = {}) => {
      signal.throwIfAborted()
      const count = from === undefined ? 0 : countOf(from)
      const given = typeof input === 'function' ? input(signal) : input
      const reader = new ValuesReader<T>(iteratorOf(given), signal, takesSignal(input))
      return await orClose(reader, async () => {
        await reader.pass(count)
        return reader
      })
    },
  }
}

type AnyIterator<T> = Iterator<T> | AsyncIterator<T>

class ValuesReader<T> implements SplitReader<T> {
  readonly #iterator: AnyIterator<T>
  readonly #signal: AbortSignal
  readonly #hasSignal: boolean
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  /** How many were emitted, in all runs. */
  #count = 0
  /** A value that was requested and had not come when the last call returned. */
  #pending: PromiseLike<IteratorResult<T>> | undefined
  #isDone = false

  /**
   * @param hasSignal - whether the signal was passed to the function that made the iterator
   */
  constructor(iterator: AnyIterator<T>, signal: AbortSignal, hasSignal: boolean) {
    this.#iterator = iterator
    this.#signal = signal
    this.#hasSignal = hasSignal
  }

  get doneBytes(): number {
    return 0
  }

  position(): Json {
    return this.#count
  }

  /** Skips values that an earlier run has emitted. */
  async pass(count: number): Promise<void> {
    while (this.#count < count) {
      const next = this.#next()
      const { done } = isPromise(next) ? await untilAborted(next, this.#signal) : next
      this.#pending = undefined
      if (done === true) throw positionLost(count, `there are only ${this.#count} now`)
      this.#count += 1
    }
  }

  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined> {
    const values: T[] = []
    while (values.length < max && !this.#isDone) {
      const next = this.#next()
      if (isPromise(next)) return this.#readOn(next, values, max)
      this.#take(next, values)
    }
    return this.#batchOf(values)
  }

  async close(): Promise<void> {
    if (this.#isDone) return
    this.#isDone = true
    const settled = (): void => {
      this.#pending = undefined
    }
    this.#pending?.then(settled, settled)
    const isPending = (): boolean => this.#pending !== undefined
    await closeIterator(this.#iterator, { isPending, hasSignal: this.#hasSignal && this.#signal.aborted })
  }

  /** Takes what comes without waiting for more than the first. */
  async #readOn(first: PromiseLike<IteratorResult<T>>, values: T[], max: number): Promise<ReadBatch<T> | undefined> {
    // What is there already comes before the next turn of the event loop.
    const turn = new Promise<undefined>((resolve) => setImmediate(resolve, undefined))
    let next: PromiseLike<IteratorResult<T>> | IteratorResult<T> = first
    while (!this.#isDone) {
      let result: IteratorResult<T> | undefined
      if (!isPromise(next)) result = next
      else if (values.length === 0) result = await untilAborted(next, this.#signal)
      else result = await Promise.race([next, turn])
      if (result === undefined) break
      this.#pending = undefined
      this.#take(result, values)
      if (values.length >= max || this.#isDone) break
      next = this.#next()
    }
    return this.#batchOf(values)
  }

  #batchOf(values: readonly T[]): ReadBatch<T> | undefined {
    if (values.length === 0) return undefined
    const first = this.#count - values.length
    const at = (index: number) => ({ source: SPLIT, line: 0, offset: first + index, raw: rawOf(values[index]) })
    return { events: batchOf(values, { at }), rejected: [] }
  }

  #next(): IteratorResult<T> | PromiseLike<IteratorResult<T>> {
    this.#signal.throwIfAborted()
    if (this.#pending !== undefined) return this.#pending
    const next = this.#iterator.next()
    if (isPromise(next)) this.#pending = next
    return next
  }

  #take(result: IteratorResult<T>, values: T[]): void {
    if (result.done === true) {
      this.#isDone = true
      return
    }
    values.push(result.value)
    this.#count += 1
    this.counts.read += 1
  }
}

function iteratorOf<T>(given: Iterable<T> | AsyncIterable<T>): AnyIterator<T> {
  if (isIterable(given)) return given[Symbol.iterator]()
  if (isAsyncIterable<T>(given)) return asyncIteratorOf(given)
  throw new TypeError(`the function of valuesSource returns an iterable: found ${describeValue(given)}`)
}

function isIterable(value: unknown): value is Iterable<never> {
  return value !== null && value !== undefined && typeof (value as Iterable<never>)[Symbol.iterator] === 'function'
}

function isAsyncIterable<T>(value: unknown): value is AsyncIterable<T> {
  return typeof (value as Partial<AsyncIterable<T>> | undefined)?.[Symbol.asyncIterator] === 'function'
}

function rawOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, RAW_CHARS)
  try {
    return (JSON.stringify(value) ?? describeValue(value)).slice(0, RAW_CHARS)
  } catch {
    // A bigint, a cycle: shown as in errors.
    return describeValue(value)
  }
}

function countOf(from: Json): number {
  if (isCount(from)) return from
  throw positionLost(from, 'the checkpoint holds no number of values')
}

function positionLost(from: Json, found: string): SluiceError<'POSITION_LOST'> {
  const position = `value ${String(JSON.stringify(from)).slice(0, 60)}`
  const message = `Cannot resume values after ${position.slice(6)}: ${found}`
  return new SluiceError('POSITION_LOST', message, { source: SPLIT, position })
}

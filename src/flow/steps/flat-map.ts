// flatMap: the events that a function returns for each event, drawn on demand.

import { messageOf } from '../../base/errors.ts'
import { type Batch, batchOf, derived } from '../../connect/batch.ts'
import { ColumnBatch } from '../../connect/column-batch.ts'
import { faultOfParts, type Origin, partOf } from '../../connect/origin.ts'
import { Backlog } from '../backlog.ts'
import type { ByColumn, Stateless } from '../plan.ts'
import { give, type MakeStep, type Port, type Step, type StepContext } from '../step.ts'

/**
 * Events passed on at once; and how many from one event are held until its iterator ends, so that none of them is
 * passed on if it throws by then.
 */
const AT_ONCE = 1024
/** If an event becomes more than are held, its parts are numbered as if it became this many. */
const COUNT_OF_LARGE = 2 ** 31

type Operator = Extract<Stateless, { kind: 'flatMap' }>
type Given = Iterable<unknown>

export function flatMap(operator: Operator): MakeStep {
  return (next, context) => new FlatMap(operator, next, context)
}

/** An event whose iterator returned more than is held: it is emitted as it is drawn. */
interface Large {
  readonly iterator: Iterator<unknown>
  readonly event: Batch
  drawn: number
}

/**
 * Arrays are passed on as they are. An iterator is drawn {@link AT_ONCE} events at a time: if it is not at its end by
 * then, the rest is deferred, so that an endless one does not fill the memory.
 */
class FlatMap implements Step {
  readonly #name: string
  readonly #fn: (value: unknown) => Given
  readonly #byColumn: ByColumn | undefined
  readonly #next: Port
  readonly #context: StepContext
  /** What is under way: a batch, its progress, and an iterator that is not at its end. */
  #batch: Batch = batchOf([])
  #at = 0
  #large: Large | undefined
  /** What the events of the batch from `#from` on became, and where each of them starts. */
  #from = 0
  #out: unknown[] = []
  #starts: number[] = []
  readonly #backlog = new Backlog()

  constructor({ name, fn, byColumn }: Operator, next: Port, context: StepContext) {
    this.#name = name
    this.#fn = fn as (value: unknown) => Given
    this.#byColumn = byColumn
    this.#next = next
    this.#context = context
  }

  get isSuspended(): boolean {
    return this.#large !== undefined || this.#at < this.#batch.length || !this.#backlog.isEmpty
  }

  events(batch: Batch): void {
    if (this.isSuspended) this.#backlog.push({ kind: 'events', batch, input: this.#context.input })
    else if (this.#byColumn === undefined || !(batch instanceof ColumnBatch) || !batch.isByField) this.#begin(batch)
    else {
      const made = this.#context.isReplay ? undefined : this.#byColumn(batch, this.#context.counts)
      if (made === undefined) this.#begin(batch)
      else give(this.#next, made)
    }
  }

  watermark(time: number): void {
    if (this.isSuspended) this.#backlog.push({ kind: 'watermark', time })
    else this.#next.watermark(time)
  }

  resume(): void {
    if (this.#context.isStopped) return this.drop()
    if (this.#large !== undefined) return this.#drawOn(this.#large)
    if (this.#at < this.#batch.length) return this.#expand()
    const waiting = this.#backlog.shift()
    if (waiting === undefined) return
    if (waiting.kind === 'watermark') return this.#next.watermark(waiting.time)
    this.#context.input = waiting.input
    this.#begin(waiting.batch)
  }

  drop(): void {
    const iterator = this.#large?.iterator
    this.#large = undefined
    this.#at = this.#batch.length
    this.#backlog.clear()
    iterator?.return?.()
  }

  #begin(batch: Batch): void {
    this.#batch = batch
    this.#at = 0
    this.#from = 0
    this.#expand()
  }

  #expand(): void {
    let drawn = 0
    const { hasOrigins } = this.#batch
    while (this.#at < this.#batch.length && drawn < AT_ONCE && !this.#context.isStopped) {
      const index = this.#at
      this.#at += 1
      if (hasOrigins) this.#starts.push(this.#out.length)
      let given: readonly unknown[]
      try {
        const values = this.#fn(this.#batch.at(index))
        if (Array.isArray(values)) given = values
        else {
          const iterator = values[Symbol.iterator]()
          const held: unknown[] = []
          const isOver = draw(iterator, held, AT_ONCE)
          drawn += held.length
          if (!isOver) return this.#beginLarge(index, iterator, held)
          given = held
        }
        if (hasOrigins) this.#checkParts(index, given.length)
      } catch (error) {
        this.#refuse(index, error)
        continue
      }
      this.#put(given)
    }
    this.#handOn()
    if (this.#context.isStopped) this.drop()
  }

  /** Of replayed records only parts may be passed on, which are counted per event. */
  #put(given: readonly unknown[]): void {
    const { counts, isReplay } = this.#context
    const out = this.#out
    for (const one of given) out.push(one)
    if (isReplay && given.length > 0) return this.#handOn()
    if (given.length === 0) counts.filtered += 1
    else counts.derived += given.length - 1
    if (out.length >= AT_ONCE) this.#handOn()
  }

  #handOn(): void {
    const batch = this.#batch
    const made = batch.hasOrigins
      ? derived(batch.slice(this.#from, this.#at), this.#out, this.#starts)
      : batchOf(this.#out)
    this.#from = this.#at
    this.#out = []
    this.#starts = []
    give(this.#next, this.#context.isReplay ? this.#wanted(made, true) : made)
  }

  /** The parts of a record that are replayed. */
  #wanted(made: Batch, isFirst: boolean): Batch {
    if (!made.hasOrigins) return made
    const wanted = made.values().flatMap((_, index) => (made.origin(index) === undefined ? [] : [index]))
    this.#context.counts.derived += wanted.length - (isFirst && wanted.length > 0 ? 1 : 0)
    if (isFirst && wanted.length === 0 && made.length > 0) this.#context.counts.filtered += 1
    return made.select(wanted)
  }

  #beginLarge(index: number, iterator: Iterator<unknown>, held: readonly unknown[]): void {
    try {
      this.#checkParts(index, COUNT_OF_LARGE)
    } catch (error) {
      iterator.return?.()
      this.#refuse(index, error)
      return this.#handOn()
    }
    this.#at = index
    this.#starts.pop()
    this.#handOn()
    this.#at = index + 1
    this.#from = index + 1
    this.#large = { iterator, event: this.#batch.slice(index, index + 1), drawn: 0 }
    this.#giveLarge(this.#large, held)
    if (this.#context.isStopped) this.drop()
  }

  #drawOn(large: Large): void {
    const made: unknown[] = []
    // Counts as ended until it has returned otherwise: an iterator that throws is not closed again.
    this.#large = undefined
    try {
      if (!draw(large.iterator, made, AT_ONCE)) this.#large = large
      else if (this.#context.isReplay) this.#checkAll(large, large.drawn + made.length)
    } catch (error) {
      // A part of its events has gone on: the event can no longer be rejected as a whole.
      this.#context.recordFailure(this.#name, [large.event.at(0)])
      throw error
    }
    this.#giveLarge(large, made)
  }

  #giveLarge(large: Large, values: readonly unknown[]): void {
    const { event, drawn } = large
    const origin = event.origin(0)
    const at = (index: number): Origin => partOf(origin as Origin, drawn + index, COUNT_OF_LARGE) as Origin
    const made = origin === undefined ? batchOf(values) : batchOf(values, { at }, COUNT_OF_LARGE * event.maxStride)
    large.drawn += values.length
    if (this.#context.isReplay) return give(this.#next, this.#wanted(made, drawn === 0))
    this.#context.counts.derived += values.length - (drawn === 0 ? 1 : 0)
    give(this.#next, made)
  }

  /**
   * @throws {RangeError} if the event cannot become that many
   */
  #checkParts(index: number, count: number): void {
    const { maxStride, hasOrigins } = this.#batch
    if (!hasOrigins || count < 2) return
    if (!this.#context.isReplay && maxStride * (count + 1) <= Number.MAX_SAFE_INTEGER) return
    const fault = faultOfParts(this.#batch.origin(index) as Origin, count)
    if (fault !== undefined) throw new RangeError(fault)
  }

  /**
   * @throws {RangeError} if a part that is replayed was not among those that were drawn
   */
  #checkAll({ event }: Large, count: number): void {
    const { only, stride = 1 } = event.origin(0) ?? {}
    const missing = only?.find((part) => Math.floor(part / stride) % (COUNT_OF_LARGE + 1) > count)
    if (missing === undefined) return
    throw new RangeError(
      `it now becomes ${count} events, and part ${missing} of it, which was rejected, is not one of them`,
    )
  }

  #refuse(index: number, error: unknown): void {
    if (this.#context.onError === 'fail') {
      this.#context.recordFailure(this.#name, [this.#batch.at(index)])
      throw error
    }
    this.#context.dead(this.#name, this.#batch, index, messageOf(error))
  }
}

/** Draws up to `count` events into `out`; returns whether the iterator has ended. */
function draw(iterator: Iterator<unknown>, out: unknown[], count: number): boolean {
  for (let drawn = 0; drawn < count; drawn += 1) {
    const { done, value } = iterator.next()
    if (done === true) return true
    out.push(value)
  }
  return false
}

// An async schema: several events are validated at a time, and passed on in order.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { messageOf } from '../../base/errors.ts'
import { Ring } from '../../base/ring.ts'
import { type Batch, batchOf, mapped } from '../../connect/batch.ts'
import { Backlog } from '../backlog.ts'
import type { Stateless } from '../plan.ts'
import { give, type Port, type Step, type StepContext } from '../step.ts'
import { Check, REFUSED, WAITS } from '../validation.ts'

/** The most events that are being validated at a time. */
const MOST_WAITING = 64

/** An event that is being validated. */
interface Asked {
  readonly batch: Batch
  readonly index: number
  readonly input: number
  /** The result; undefined while it is pending. */
  said?: { readonly value: unknown; readonly reason: string } | { readonly error: unknown }
  /** Resolves once there is a result. */
  answer?: Promise<void>
}

export class Validating implements Step {
  readonly #name: string
  readonly #check: Check
  readonly #next: Port
  readonly #context: StepContext
  /** The current batch, its progress, and the input that it came from. */
  #batch: Batch = batchOf([])
  #at = 0
  #input = 0
  readonly #asked = new Ring<Asked>(MOST_WAITING)
  readonly #backlog = new Backlog()

  constructor({ name, schema }: Extract<Stateless, { kind: 'validate' }>, next: Port, context: StepContext) {
    this.#name = name
    this.#check = new Check(schema)
    this.#next = next
    this.#context = context
  }

  get isSuspended(): boolean {
    return this.#asked.length > 0 || this.#at < this.#batch.length || !this.#backlog.isEmpty
  }

  get waitsFor(): Promise<unknown> | undefined {
    return this.#asked.peek()?.answer
  }

  /** Takes the single event of a batch, whose validation was started already. */
  begin(batch: Batch, answer: PromiseLike<StandardSchemaV1.Result<unknown>>): void {
    const asked: Asked = { batch, index: 0, input: this.#context.input }
    this.#await(asked, answer)
    this.#asked.push(asked)
  }

  events(batch: Batch): void {
    const { input } = this.#context
    if (this.isSuspended) this.#backlog.push({ kind: 'events', batch, input })
    else this.#begin(batch, input)
    this.#go()
  }

  watermark(time: number): void {
    if (this.isSuspended) this.#backlog.push({ kind: 'watermark', time })
    else this.#next.watermark(time)
  }

  resume(): void {
    if (this.#context.isStopped) this.drop()
    else this.#go()
  }

  drop(): void {
    this.#asked.clear()
    this.#at = this.#batch.length
    this.#backlog.clear()
  }

  #begin(batch: Batch, input: number): void {
    this.#batch = batch
    this.#at = 0
    this.#input = input
  }

  /** Starts validations while there is room, and passes results on in order, until it has to wait. */
  #go(): void {
    do {
      for (; this.#asked.length < MOST_WAITING && this.#at < this.#batch.length; this.#at += 1) {
        this.#asked.push(this.#ask(this.#batch, this.#at))
      }
      this.#handOn()
    } while (!this.#context.isStopped && this.#canGoOn())
  }

  /** Whether there is something to validate, or to pass on, now. */
  #canGoOn(): boolean {
    if (this.#asked.peek()?.said !== undefined) return true
    if (this.#asked.length === MOST_WAITING) return false
    if (this.#at < this.#batch.length) return true
    const waiting = this.#backlog.peek()
    // A watermark is passed on after everything that came before it.
    if (waiting === undefined || (waiting.kind === 'watermark' && this.#asked.length > 0)) return false
    this.#backlog.shift()
    if (waiting.kind === 'events') this.#begin(waiting.batch, waiting.input)
    else this.#next.watermark(waiting.time)
    return true
  }

  #ask(batch: Batch, index: number): Asked {
    const asked: Asked = { batch, index, input: this.#input }
    try {
      const value = this.#check.of(batch.at(index))
      const { answer, reason } = this.#check
      if (value === WAITS && answer !== undefined) this.#await(asked, answer)
      else asked.said = { value, reason }
    } catch (error) {
      asked.said = { error }
    }
    return asked
  }

  #await(asked: Asked, answer: PromiseLike<StandardSchemaV1.Result<unknown>>): void {
    asked.answer = Promise.resolve(answer).then(
      (result) => {
        const value = this.#check.settled(result)
        asked.said = { value, reason: this.#check.reason }
      },
      (error: unknown) => {
        asked.said = { error }
      },
    )
  }

  /** Passes on the first events, as far as they are validated; those of one batch together. */
  #handOn(): void {
    for (let first = this.#asked.peek(); first?.said !== undefined; first = this.#asked.peek()) {
      const { batch, input } = first
      const out: unknown[] = []
      const of: number[] = []
      for (let one = this.#asked.peek(); one?.said !== undefined && one.batch === batch; one = this.#asked.peek()) {
        this.#asked.shift()
        if (!this.#goesOn(one)) continue
        out.push((one.said as { readonly value: unknown }).value)
        of.push(one.index)
      }
      this.#context.input = input
      give(this.#next, mapped(batch, out, of))
    }
  }

  #goesOn({ batch, index, said }: Asked): boolean {
    const { onError, recordFailure, dead } = this.#context
    if (said !== undefined && 'error' in said) {
      if (onError === 'fail') {
        recordFailure(this.#name, [batch.at(index)])
        throw said.error
      }
      dead(this.#name, batch, index, messageOf(said.error))
      return false
    }
    if (said?.value !== REFUSED) return true
    dead(this.#name, batch, index, said.reason)
    return false
  }
}

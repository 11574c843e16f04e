// Stateless operators, several of them in one loop over a batch.

import { messageOf } from '../../base/errors.ts'
import { type Batch, mapped } from '../../connect/batch.ts'
import { ColumnBatch } from '../../connect/column-batch.ts'
import { Chain } from '../chain.ts'
import type { ByColumn } from '../plan.ts'
import { give, type MakeStep, type Making, type Port, type Step, type StepContext } from '../step.ts'
import { Check } from '../validation.ts'
import { type Each, type Loop, type LoopHooks, loopByCalls, loopGenerated, type Made } from './each-loop.ts'
import { Validating } from './validating.ts'

/**
 * A run of `map`, `filter` and `validate` as one loop over the batch: no arrays in between.
 *
 * From the first event for which a schema is async, the run is three steps: what comes before the schema, the schema,
 * and what comes after it.
 */
export function each(operators: readonly Each[]): MakeStep {
  return (next, context) => new EachStep(operators, next, context)
}

class EachStep implements Step, LoopHooks {
  readonly #operators: readonly Each[]
  readonly #checks: readonly (Check | undefined)[]
  /** The loops over what operators by column left to others, by the first of those. */
  readonly #loops: (Loop | undefined)[] = []
  readonly #next: Port
  readonly #context: StepContext
  /** The current batch, and how many of its events are dead letters. */
  #batch: Batch | undefined
  #dead = 0
  /** The run as several steps, once a schema was async. */
  #chain: Chain | undefined

  constructor(operators: readonly Each[], next: Port, context: StepContext) {
    this.#operators = operators
    this.#checks = operators.map((operator) => (operator.kind === 'validate' ? new Check(operator.schema) : undefined))
    this.#next = next
    this.#context = context
  }

  get isSuspended(): boolean {
    return this.#chain?.isSuspended === true
  }

  get waitsFor(): Promise<unknown> | undefined {
    return this.#chain?.waitsFor
  }

  events(batch: Batch): void {
    if (this.#chain !== undefined) return this.#chain.events(batch)
    const { done, left } = this.#byColumn(batch)
    if (done === this.#operators.length || left.length === 0) give(this.#next, left)
    else this.#eachOf(left, done)
  }

  /** Runs the first operators on fields, as far as they can be. */
  #byColumn(batch: Batch): { done: number; left: Batch } {
    let left = batch
    let done = 0
    for (const operator of this.#operators) {
      const byColumn = operator.kind === 'validate' ? undefined : operator.byColumn
      if (byColumn === undefined || !(left instanceof ColumnBatch) || !left.isByField) break
      const next = this.#fieldwise(byColumn, left)
      if (next === undefined) break
      this.#context.counts.filtered += left.length - next.length
      left = next
      done += 1
    }
    return { done, left }
  }

  /** Runs the operators from one on over events. */
  #eachOf(batch: Batch, from: number): void {
    this.#batch = batch
    this.#dead = 0
    const made: Made = { out: [], of: batch.hasOrigins ? [] : undefined }
    const { at, index } = this.#loop(from)(batch.values(), made, this)
    const { out, of } = made
    const done = index === -1 ? batch.length : index
    this.#context.counts.filtered += done - out.length - this.#dead
    give(this.#next, mapped(batch, out, out.length === batch.length ? undefined : of))
    if (index !== -1) this.#split(at, batch, index)
  }

  watermark(time: number): void {
    if (this.#chain === undefined) this.#next.watermark(time)
    else this.#chain.watermark(time)
  }

  resume(): void {
    this.#chain?.resume()
  }

  drop(): void {
    this.#chain?.drop()
  }

  #loop(from: number): Loop {
    this.#loops[from] ??= this.#made(from)
    return this.#loops[from]
  }

  #made(from: number): Loop {
    const isGuarded = this.#context.onError === 'dead-letter'
    const ways = [this.#operators, this.#checks, isGuarded, from] as const
    return loopGenerated(...ways) ?? loopByCalls(...ways)
  }

  refused(at: number, index: number): void {
    this.#dead += 1
    this.#context.dead(this.#nameOf(at), this.#batch as Batch, index, this.#checks[at]?.reason ?? '')
  }

  failed(at: number, index: number, error: unknown): void {
    const batch = this.#batch as Batch
    if (this.#context.onError === 'fail') {
      this.#context.recordFailure(this.#nameOf(at), [batch.at(index)])
      throw error
    }
    this.#dead += 1
    this.#context.dead(this.#nameOf(at), batch, index, messageOf(error))
  }

  #nameOf(at: number): string {
    return this.#operators[at]?.name ?? ''
  }

  /** The schema at `at` is async for an event: the step that takes its place receives the pending result. */
  #split(at: number, batch: Batch, index: number): void {
    const answer = this.#checks[at]?.answer
    const operator = this.#operators[at]
    if (answer === undefined || operator?.kind !== 'validate') throw new TypeError('no schema waits')
    let validating: Validating | undefined
    const make: MakeStep = (next, context) => {
      validating = new Validating(operator, next, context)
      return validating
    }
    const parts = [...this.#run(0, at), { make }, ...this.#run(at + 1, this.#operators.length)]
    this.#chain = new Chain(parts, this.#next, this.#context)
    validating?.begin(batch.slice(index, index + 1), answer)
    if (index + 1 < batch.length) this.#chain.events(batch.slice(index + 1))
  }

  #run(from: number, to: number): Making[] {
    return from === to ? [] : [{ make: each(this.#operators.slice(from, to)) }]
  }

  /** An event for which a function throws is found by itself. */
  #fieldwise(byColumn: ByColumn, batch: ColumnBatch<unknown>): Batch | undefined {
    try {
      return byColumn(batch, this.#context.counts)
    } catch {
      return undefined
    }
  }
}

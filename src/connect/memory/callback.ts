// The sink that calls a user function with batches of rows.

import { checkKeys, describeValue } from '../../base/check.ts'
import { isPromise } from '../../base/promise.ts'
import { type Batch, deadLetterAt } from '../batch.ts'
import type { DeadLetter } from '../origin.ts'
import type { TwoPhaseSink, TwoPhaseWriter } from '../sink.ts'

/** What a function gets beside the rows. */
export interface RowsContext {
  readonly pipeline: string
  /** The epoch that the rows are of: counts up by one with every commit, over all runs. */
  readonly epoch: number
  /** Aborted when the run is to end at once. */
  readonly signal: AbortSignal
}

/** Indexes of the rows that it rejects, with the reasons if there are any. */
export type RefusedRows = readonly (number | { readonly index: number; readonly reason: string })[]

export type TakeRows<Row> = (
  rows: readonly Row[],
  context: RowsContext,
) => undefined | void | RefusedRows | Promise<undefined | void | RefusedRows>

export interface CallbackSinkOptions {
  /** Called before every commit: everything it awaits is done when the epoch is committed. */
  readonly flush?: (context: RowsContext) => void | Promise<void>
  /** Called at the end, once. */
  readonly close?: () => void | Promise<void>
}

/**
 * A sink that calls a function with batches of rows.
 *
 * - **At least once**: after an interruption, rows after the last commit are passed again.
 * - **Waits** for the returned promise before the next call, so a slow function slows the source.
 * - **Rejected** rows become dead letters; an error stops the run.
 *
 * @param name - the step in dead letters and diagrams
 * @throws {TypeError} for an invalid name or function
 * @example
 * const seen: number[] = []
 * const sink = callbackSink('odd numbers', (rows: readonly number[]) => {
 *   seen.push(...rows.filter((row) => row % 2 === 1))
 *   return rows.flatMap((row, index) => (row % 2 === 1 ? [] : [{ index, reason: 'it is even' }]))
 * })
 * sink.title // => 'function odd numbers'
 */
export function callbackSink<Row>(
  name: string,
  take: TakeRows<Row>,
  options: CallbackSinkOptions = {},
): TwoPhaseSink<Row> {
  checkKeys('callbackSink', options, ['flush', 'close'])
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`callbackSink needs a name, a text: found ${describeValue(name)}`)
  }
  for (const [what, fn] of Object.entries({ take, ...options })) {
    if (typeof fn !== 'function')
      throw new TypeError(`${what} of ${name} must be a function: found ${describeValue(fn)}`)
  }
  return {
    kind: 'callback',
    title: `function ${name}`,
    guarantee: 'at-least-once',
    open: async ({ pipeline, epoch, signal = new AbortController().signal }) => {
      return new CallbackWriter(name, take, options, { pipeline, epoch: epoch + 1, signal })
    },
  }
}

class CallbackWriter<Row> implements TwoPhaseWriter<Row> {
  readonly #name: string
  readonly #take: TakeRows<Row>
  readonly #options: CallbackSinkOptions
  /** Advances with every epoch. */
  #context: RowsContext
  #isClosed = false

  constructor(name: string, take: TakeRows<Row>, options: CallbackSinkOptions, context: RowsContext) {
    this.#name = name
    this.#take = take
    this.#options = options
    this.#context = context
  }

  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]> {
    this.#context.signal.throwIfAborted()
    // A copy: changes that the function makes to the array must not change which row is which.
    const refused = this.#take([...rows.values()], this.#context)
    return isPromise(refused)
      ? Promise.resolve(refused).then((later) => this.#lettersOf(rows, later))
      : this.#lettersOf(rows, refused)
  }

  async prepare(epoch: number): Promise<null> {
    await this.#options.flush?.(this.#context)
    this.#context = { ...this.#context, epoch: epoch + 1 }
    return null
  }

  publish(): void {}

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#options.close?.()
  }

  #lettersOf(rows: Batch<Row>, refused: unknown): readonly DeadLetter[] {
    if (refused === undefined) return []
    if (!Array.isArray(refused)) {
      const allowed = 'nothing, or the indexes of the rows that it rejects'
      throw new TypeError(`function ${this.#name} gives ${allowed}: found ${describeValue(refused)}`)
    }
    const letters = new Map<number, DeadLetter>()
    for (const one of refused as RefusedRows) {
      const { index, reason } = typeof one === 'number' ? { index: one, reason: `${this.#name} rejected it` } : one
      if (!Number.isInteger(index) || index < 0 || index >= rows.length) {
        const found = `${describeValue(index)} of ${rows.length} rows`
        throw new RangeError(`function ${this.#name} rejects a row that does not exist: found index ${found}`)
      }
      letters.set(index, deadLetterAt(rows, index, this.#name, String(reason)))
    }
    return [...letters.values()]
  }
}

// One layer of a unit at work: events go in, and what becomes of them comes out, at once or when it is resumed.

import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Key } from '../../base/hash.ts'
import { type Batch, mapped } from '../../connect/batch.ts'
import { type CallFunction, callFor } from '../../engine/async-call.ts'
import type { StageContext } from '../../engine/step-context.ts'
import { Chain } from '../../flow/chain.ts'
import { fuse } from '../../flow/fuse.ts'
import type { Port } from '../../flow/step.ts'
import { type Layer, stepsOf } from '../../flow/topology.ts'

export interface Part {
  readonly isSuspended: boolean
  events(batch: Batch): void
  watermark(time: number): void
  /** Continues with what was put off. */
  resume(): Promise<void>
  /** All inputs have ended. */
  end(): void
  drop(): void
}

export interface PartOptions {
  readonly layer: Layer
  readonly context: StageContext
  readonly out: Port
  readonly clock: Clock
  readonly signal: AbortSignal
}

export function partOf(options: PartOptions): Part {
  return options.layer.work.kind === 'mapAsync' ? new Calls(options) : steps(options)
}

/** Operators in a row. */
function steps({ layer, context, out }: PartOptions): Part {
  const chain = new Chain(fuse(stepsOf(layer)), out, context.steps)
  return {
    get isSuspended() {
      return chain.isSuspended
    },
    events: (batch) => chain.events(batch),
    watermark: (time) => chain.watermark(time),
    async resume() {
      await chain.waitsFor
      chain.resume()
    },
    end() {
      for (let input = 0; input < context.steps.inputs; input += 1) chain.inputEnded(input)
      chain.end()
    },
    drop: () => chain.drop(),
  }
}

/** Functions of layers, each made once in a worker: it may have a cache. */
const made = new WeakMap<Layer, CallFunction>()

/** Asynchronous calls: those of one batch overlap, up to the limit; results are in the order of events. */
class Calls implements Part {
  readonly #options: PartOptions
  readonly #work: Extract<Layer['work'], { kind: 'mapAsync' }>
  readonly #fn: CallFunction
  /** The results of a batch, until they have gone on. */
  #results: Promise<Batch> | undefined

  constructor(options: PartOptions) {
    this.#options = options
    const { layer } = options
    this.#work = layer.work as Extract<Layer['work'], { kind: 'mapAsync' }>
    this.#fn = made.get(layer) ?? (this.#work.make() as CallFunction)
    made.set(layer, this.#fn)
  }

  get isSuspended(): boolean {
    return this.#results !== undefined
  }

  events(batch: Batch): void {
    this.#results = this.#called(batch)
    this.#results.catch(() => {}) // Told when it is resumed.
  }

  watermark(time: number): void {
    this.#options.out.watermark(time)
  }

  async resume(): Promise<void> {
    const results = await this.#results
    this.#results = undefined
    if (results !== undefined && results.length > 0) this.#options.out.events(results)
  }

  end(): void {}

  drop(): void {}

  async #called(batch: Batch): Promise<Batch> {
    const { settings } = this.#work
    const values: unknown[] = new Array(batch.length)
    const dropped = new Set<number>()
    const queues = queuesOf(batch, settings.key as ((event: unknown) => Key) | undefined)
    const work = async (): Promise<void> => {
      for (let queue = queues.next(); queue.done !== true; queue = queues.next()) {
        for (const index of queue.value) if (!(await this.#call(batch, index, values))) dropped.add(index)
      }
    }
    await Promise.all(Array.from({ length: Math.min(settings.concurrency, batch.length) }, work))
    if (dropped.size === 0) return mapped(batch, values)
    const kept = values.map((_, index) => index).filter((index) => !dropped.has(index))
    return mapped(
      batch,
      kept.map((index) => values[index]),
      kept,
    )
  }

  /** False if the last attempt failed: the event is a dead letter. */
  async #call(batch: Batch, index: number, into: unknown[]): Promise<boolean> {
    const { context, clock, signal } = this.#options
    const { name, settings } = this.#work
    try {
      into[index] = await callFor(batch.at(index), this.#fn, { name, settings, clock, signal })
      return true
    } catch (error) {
      signal.throwIfAborted()
      context.steps.dead(name, batch, index, messageOf(error))
      return false
    }
  }
}

/** Events that must not overlap, as their places: those of one key, or each by itself. */
function* queuesOf(batch: Batch, keyOf: ((event: unknown) => Key) | undefined): Generator<readonly number[]> {
  if (keyOf !== undefined) {
    yield* Map.groupBy(batch.values().keys(), (index) => keyOf(batch.at(index))).values()
    return
  }
  for (let index = 0; index < batch.length; index += 1) yield [index]
}

// Connects stages into a chain, from the bottom up, and starts them.

import { describeValue } from '../base/check.ts'
import type { StageCore } from './core.ts'
import { from, type Pullable } from './from.ts'
import type { SubscribeOptions } from './link.ts'
import { Run } from './run.ts'
import type { Consumer, Producer, ProducerConsumer } from './stage.ts'
import { begin, checkLink, coreOf, link } from './subscribe.ts'

/** One stage, or several in parallel. */
export type Many<S> = S | readonly S[]
/** Where events come from: producers, or any iterable. */
export type Start<T> = Many<Producer<T>> | Pullable<T>
type Middle<A, B> = Many<ProducerConsumer<A, B>>
type End<T> = Many<Consumer<T>>

/** Options of `connect`: those of every subscription in the chain, and a signal that cancels the run. */
export interface ConnectOptions extends Omit<SubscribeOptions, 'partition' | 'selector' | 'priority'> {
  /** Cancels the run; its reason is what `done` rejects with. */
  readonly signal?: AbortSignal
}

/**
 * Connects stages into a chain and starts it. A list in the chain is parallel stages: each takes from every stage
 * before it and emits to every stage after it.
 *
 * @param stages - from source to consumer; the first may be any iterable, async iterable or stream
 * @returns the run: `await run.done` awaits its end; `await using` drains it
 * @throws {TypeError | RangeError} if the stages do not form a chain or the options are invalid; nothing has started
 *   then
 * @example
 * const seen: number[] = []
 * const double = producerConsumer<number, number>({ onEvents: (events) => events.map((n) => n * 2) })
 * const keep = consumer<number>({ onEvents: (events) => void seen.push(...events) })
 * const run = await connect([1, 2, 3], double, keep, { maxDemand: 10, minDemand: 5 })
 * await run.done
 * seen // => [2, 4, 6]
 */
export function connect<A>(a: Start<A>, z: End<A>, options?: ConnectOptions): Promise<Run>
export function connect<A, B>(a: Start<A>, b: Middle<A, B>, z: End<B>, options?: ConnectOptions): Promise<Run>
export function connect<A, B, C>(
  a: Start<A>,
  b: Middle<A, B>,
  c: Middle<B, C>,
  z: End<C>,
  options?: ConnectOptions,
): Promise<Run>
export function connect<A, B, C, D>(
  a: Start<A>,
  b: Middle<A, B>,
  c: Middle<B, C>,
  d: Middle<C, D>,
  z: End<D>,
  options?: ConnectOptions,
): Promise<Run>
export function connect<A, B, C, D, E>(
  a: Start<A>,
  b: Middle<A, B>,
  c: Middle<B, C>,
  d: Middle<C, D>,
  e: Middle<D, E>,
  z: End<E>,
  options?: ConnectOptions,
): Promise<Run>
export async function connect(...parts: readonly unknown[]): Promise<Run> {
  const { layers, options } = readParts(parts)
  return start(layers, options)
}

/** Layers of stages from the arguments of `connect`. */
export function readParts(parts: readonly unknown[]): { layers: StageCore[][]; options: ConnectOptions } {
  const last = parts.at(-1)
  const options = isOptions(last) ? last : {}
  const stages = parts.slice(0, parts.length - (isOptions(last) ? 1 : 0))
  if (stages.length < 1) throw new TypeError('A chain needs stages: found none')
  return { layers: stages.map((part, index) => layerOf(part, index === 0)), options }
}

/** Subscribes every layer to the one above it, the last layer first, and supervises them all. */
export function start(layers: readonly StageCore[][], connectOptions: ConnectOptions, failsInLine = false): Run {
  const { signal, ...options } = connectOptions
  const stages = layers.flat()
  if (new Set(stages).size !== stages.length) throw new TypeError('A stage can be in a chain only once')
  signal?.throwIfAborted()
  const pairs = pairsOf(layers)
  for (const { below, above } of pairs) checkLink(below, above, options)
  const links = pairs.map(({ below, above }) => link(below, above, options))
  const run = new Run(layers, { signal, failsInLine })
  begin(links)
  return run
}

/** The subscriptions, last layer first. */
function pairsOf(layers: readonly StageCore[][]): { below: StageCore; above: StageCore }[] {
  const pairs: { below: StageCore; above: StageCore }[] = []
  for (let index = layers.length - 1; index > 0; index -= 1) {
    for (const below of layers[index] ?? []) {
      for (const above of layers[index - 1] ?? []) pairs.push({ below, above })
    }
  }
  return pairs
}

function layerOf(part: unknown, isFirst: boolean): StageCore[] {
  if (Array.isArray(part) && part.length > 0 && part.every(isStage)) return part.map(coreOf)
  if (isStage(part)) return [coreOf(part)]
  if (isFirst) return [coreOf(from(part as Pullable<unknown>))]
  throw new TypeError(`A chain consists of stages, and arrays of stages: found ${describeValue(part)}`)
}

function isStage(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'stats' in value && 'notify' in value
}

function isOptions(value: unknown): value is ConnectOptions {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
  return !(Symbol.iterator in value || Symbol.asyncIterator in value)
}

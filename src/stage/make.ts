// Makes stages: producer, producer-consumer, consumer.

import { checkChoice, checkInteger, checkKeys, checkMs, describeValue } from '../base/check.ts'
import { StageCore } from './core.ts'
import type { DispatcherSpec } from './dispatcher.ts'
import { demand } from './dispatchers/demand.ts'
import type { AnySpec, ConsumerSpec, ProducerConsumerSpec, ProducerSpec } from './hooks.ts'
import type { Link } from './link.ts'
import { Outlet } from './outlet.ts'
import type { Consumer, Producer, ProducerConsumer } from './stage.ts'

const COMMON = ['name', 'onMessage', 'onCancel', 'onEnd', 'onComplete', 'closeTimeoutMs', 'scheduler']
const GIVING = ['dispatcher', 'bufferSize', 'whenFull', 'onDiscard', 'unwanted']
const TAKING = ['onEvents', 'onSubscribe', 'onWatermark', 'onBarrier']

const DEFAULT_BUFFER_SIZE = 10_000

/**
 * A stage that emits events: when consumers ask, by `onDemand`, or when it has some, by `emit`.
 *
 * - **Sends** no consumer more than it asked for; what nobody has asked for yet is buffered, up to `bufferSize`.
 * - **Calls** `onDemand` with what is newly wanted, once for each ask; demand that it does not meet stays open, to be
 *   met by `emit`. For an iterable source, {@link from} is simpler.
 * - **Ends** after `complete()`, once the last event is sent; `cancel()` and `fail()` end it at once.
 *
 * Starts with the first subscription: see {@link connect}.
 *
 * @throws {TypeError} for an unknown option
 * @throws {RangeError} for an option out of bounds
 * @example
 * let next = 0
 * const counter = producer<number>({ onDemand: (demand) => range(next, (next += demand)) })
 * const seen: number[] = []
 * for await (const n of toIterable(counter, { maxDemand: 2 })) if (seen.push(n) === 4) break
 * seen // => [0, 1, 2, 3]
 * @see GenStage, lib/gen_stage.ex: handle_demand
 */
export function producer<Out>(spec: ProducerSpec<Out>): Producer<Out> {
  return make('producer', spec) as Producer<unknown> as Producer<Out>
}

/**
 * A stage that receives events and emits others: none, one or several for each.
 *
 * - **Handles** the next events only while its consumers want some; asks its producers for the default window even
 *   before that, so that events are at hand.
 * - **Keeps** what one call returned beyond demand, and calls again when that is sent; a generator is drawn on demand.
 * - **Passes on** watermarks and barriers in their places.
 * - **Completes** after its producers; is cancelled when its last consumer has left (`unwanted: 'stay'`: waits).
 *
 * @throws {TypeError} for an unknown option
 * @throws {RangeError} for an option out of bounds
 * @example
 * const double = producerConsumer<number, number>({ onEvents: (events) => events.map((n) => n * 2) })
 * await Array.fromAsync(toIterable([1, 2, 3], double)) // => [2, 4, 6]
 * @see GenStage, lib/gen_stage.ex: producer_consumer
 */
export function producerConsumer<In, Out>(spec: ProducerConsumerSpec<In, Out>): ProducerConsumer<In, Out> {
  checkHook('producerConsumer', 'onEvents', spec.onEvents)
  return make('producer-consumer', spec) as unknown as ProducerConsumer<In, Out>
}

/**
 * A stage that receives events and emits none.
 *
 * - **Asks** for `maxDemand` events at once, and again when at most `minDemand` are left to be handled; handles at most
 *   `maxDemand - minDemand` at a time. The next ones are asked for after `onEvents` has returned, or its promise has
 *   settled: a slow consumer slows its producer.
 * - **Fails** with the error of a hook; its producers see a cancellation.
 *
 * @throws {TypeError} for an unknown option
 * @example
 * const seen: number[] = []
 * const keep = consumer<number>({ onEvents: (events) => void seen.push(...events) })
 * await (await connect([1, 2, 3], keep)).done
 * seen // => [1, 2, 3]
 */
export function consumer<In>(spec: ConsumerSpec<In>): Consumer<In> {
  checkHook('consumer', 'onEvents', spec.onEvents)
  return make('consumer', spec) as unknown as Consumer<In>
}

export type StageKind = 'producer' | 'producer-consumer' | 'consumer'

const KINDS: Readonly<Record<StageKind, { readonly known: readonly string[]; readonly byDefault: AnySpec }>> = {
  producer: {
    known: [...COMMON, ...GIVING, 'onDemand', 'demand'],
    byDefault: { unwanted: 'stay', whenFull: 'keep-last' },
  },
  'producer-consumer': {
    known: [...COMMON, ...GIVING, ...TAKING],
    byDefault: { unwanted: 'end', whenFull: 'fail' },
  },
  consumer: { known: [...COMMON, ...TAKING], byDefault: {} },
}

/**
 * A stage whose hooks get chunks as they came, and may return chunks: for stages between which events travel in other
 * forms than arrays. A consumer that does not use chunks gets arrays anyway.
 *
 * @param kind - as `producer`, `producerConsumer` and `consumer` make it
 */
export function chunkStage(kind: StageKind, spec: AnySpec): StageCore {
  return make(kind, spec, true)
}

function make(kind: StageKind, given: object, usesChunks = false): StageCore {
  // A literal with a misspelled hook would wait for ever; an instance of a class may have any members.
  if (Object.getPrototypeOf(given) === Object.prototype) checkKeys(kind, given, KINDS[kind].known)
  for (const [key, value] of Object.entries(given)) if (key.startsWith('on')) checkHook(kind, key, value)
  const spec = withDefaults(kind, given as AnySpec, usesChunks)
  if (spec.closeTimeoutMs !== undefined) checkMs('closeTimeoutMs', spec.closeTimeoutMs)
  return new StageCore(kind, spec, kind === 'consumer' ? undefined : outletOf(kind, spec))
}

function outletOf(kind: StageKind, spec: AnySpec): Outlet<unknown> {
  const { name = kind, bufferSize = DEFAULT_BUFFER_SIZE, whenFull = 'fail', onDiscard } = spec
  if (bufferSize !== Number.POSITIVE_INFINITY) checkInteger('bufferSize', bufferSize, 0)
  checkChoice('whenFull', whenFull, ['keep-first', 'keep-last', 'fail'])
  checkChoice('unwanted', spec.unwanted ?? 'stay', ['end', 'stay'])
  checkChoice('demand', spec.demand ?? 'forward', ['forward', 'accumulate'])
  const dispatcher = (spec.dispatcher ?? demand()) as DispatcherSpec<unknown, unknown>
  if (typeof dispatcher.make !== 'function') {
    throw new TypeError(
      `dispatcher must be made by demand(), broadcast() or another: found ${describeValue(dispatcher)}`,
    )
  }
  return new Outlet<unknown>(dispatcher.make<Link>(), { name, bufferSize, whenFull, onDiscard })
}

/** The spec with defaults: a view, so that hooks of an instance keep their `this`. */
function withDefaults(kind: StageKind, spec: AnySpec, usesChunks: boolean): AnySpec {
  const { known, byDefault } = KINDS[kind]
  const bound: Record<string, unknown> = { ...byDefault, usesChunks }
  for (const key of known as readonly (keyof AnySpec)[]) {
    const value = spec[key]
    if (value !== undefined) bound[key] = typeof value === 'function' ? value.bind(spec as never) : value
  }
  return bound
}

function checkHook(kind: string, name: string, hook: unknown): void {
  if (typeof hook !== 'function')
    throw new TypeError(`${name} of a ${kind} must be a function: found ${describeValue(hook)}`)
}

/**
 * Integers from `from` up to `to`, exclusive.
 *
 * @example
 * range(3, 6) // => [3, 4, 5]
 * range(3, 3) // => []
 */
export function range(from: number, to: number): number[] {
  const numbers = new Array<number>(Math.max(0, to - from))
  for (let index = 0; index < numbers.length; index += 1) numbers[index] = from + index
  return numbers
}

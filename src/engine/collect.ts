// The ways of running a flow: to an array, to a sink, to an async iterable.

import type { Writable } from 'node:stream'
import type { WritableStream } from 'node:stream/web'
import { consumer } from '../stage/make.ts'
import type { Consumer } from '../stage/stage.ts'
import { coreOf } from '../stage/subscribe.ts'
import { handedOver, into } from '../stage/to.ts'
import type { FlowRun } from './inline.ts'
import { type FlowReport, type FlowRunOptions, settingsOf } from './options.ts'
import { type Runnable, startFlow } from './start.ts'

/** What takes the events of a flow: a stage, a stream, or a function that is handed batches. */
export type FlowSink<T> = Consumer<T> | Writable | WritableStream<T> | ((events: readonly T[]) => Promise<void> | void)

export interface RunFlowOptions<T> extends FlowRunOptions {
  /** Where the flow's events go; counted and dropped by default. Of several, each event goes to one. */
  readonly into?: FlowSink<T> | readonly Consumer<T>[]
}

/**
 * Runs a flow to its end, and gives all that comes out of it. Events of stages side by side come in no order.
 *
 * @throws what a function of the flow threw; the signal's reason
 * @example
 * await collect(flow([1, 2, 3]).filter((n) => n !== 2)) // => [1, 3]
 */
export async function collect<T>(flow: Runnable<T>, options: FlowRunOptions = {}): Promise<T[]> {
  const found: T[] = []
  const keep = (events: readonly T[]): void => {
    for (const event of events) found.push(event)
  }
  await finish('collect', flow, keep, options)
  return found
}

/**
 * Runs a flow to its end, for what it does or for where it leads.
 *
 * @throws what a function of the flow threw; what the sink failed with; the signal's reason
 * @example
 * const seen: number[] = []
 * await run(flow([1, 2, 3]), { into: (events) => void seen.push(...events) }) // => { events: 3, late: 0, dead: 0 }
 * seen // => [1, 2, 3]
 */
export async function run<T>(flow: Runnable<T>, options: RunFlowOptions<T> = {}): Promise<FlowReport> {
  const { into: sink = () => {}, ...others } = options
  return await finish('run', flow, sink, others)
}

/**
 * The events of a flow, one by one; it is started by the first `next()`. Who iterates slowly slows the sources; `break`
 * closes them, and waits for that. A failure is thrown behind the events that came before it.
 *
 * @example
 * const seen: number[] = []
 * const endless = function* () {
 *   for (let n = 0; ; n += 1) yield n
 * }
 * for await (const n of stream(flow(endless).map((n) => n * 2))) if (seen.push(n) === 3) break
 * seen // => [0, 2, 4]
 */
export async function* stream<T>(flow: Runnable<T>, options: FlowRunOptions = {}): AsyncGenerator<T, void> {
  const settings = settingsOf('stream', options)
  let started: FlowRun | undefined
  const batches = handedOver(async (last) => {
    started = await startFlow('stream', flow, [last], settings, true)
    return started
  })
  for await (const batch of batches) yield* batch as readonly T[]
  started?.account.warn()
}

async function finish<T>(
  what: string,
  flow: Runnable<T>,
  sink: RunFlowOptions<T>['into'],
  options: FlowRunOptions,
): Promise<FlowReport> {
  const settings = settingsOf(what, options)
  let events = 0
  const takers = takersOf(sink, (more) => {
    events += more
  }).map(coreOf)
  const { account, done } = await startFlow(what, flow, takers, settings)
  await done
  if (typeof sink !== 'function') for (const taker of takers) events += taker.stats().received
  account.warn()
  return { events, late: account.tooLate, dead: account.refused }
}

/** Sinks as stages; a function's events are counted as it is handed them. */
function takersOf<T>(sink: RunFlowOptions<T>['into'], count: (events: number) => void): readonly Consumer<never>[] {
  if (typeof sink === 'function') {
    const onEvents = (batch: readonly T[]): Promise<void> | void => {
      count(batch.length)
      return sink(batch)
    }
    return [consumer<T>({ name: 'sink', onEvents })]
  }
  if (Array.isArray(sink)) return sink
  if (typeof sink === 'object' && sink !== null && 'notify' in sink) return [sink as Consumer<never>]
  return [into<never>(sink as Writable)]
}

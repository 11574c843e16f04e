// The ways of running a flow: to an array, to a sink, to an async iterable.

import { handedOver } from '../stage/to.ts'
import { type FlowReport, type FlowRunOptions, type Settings, settingsOf } from './options.ts'
import { RejectionLog } from './rejection-log.ts'
import { begin, type RunFlowOptions, type RunningFlow } from './running.ts'
import { type Runnable, startFlow } from './start.ts'

/**
 * Runs a flow to its end, and returns its events. Events of parallel stages come in no particular order.
 *
 * @throws the error of a function of the flow; the signal's reason
 * @example
 * await collect(flow([1, 2, 3]).filter((n) => n !== 2)) // => [1, 3]
 */
export async function collect<T>(flow: Runnable<T>, options: FlowRunOptions = {}): Promise<T[]> {
  const found: T[] = []
  const keep = (events: readonly T[]): void => {
    for (const event of events) found.push(event)
  }
  const { done } = await begin('collect', flow, { ...options, into: keep })
  await done
  return found
}

/**
 * Runs a flow to its end, for its effects or into a sink.
 *
 * @throws the error of a function of the flow, or of the sink; the signal's reason
 * @example
 * const seen: number[] = []
 * await run(flow([1, 2, 3]), { into: (events) => void seen.push(...events) }) // => { events: 3, late: 0, dead: 0, ahead: 0 }
 * seen // => [1, 2, 3]
 */
export async function run<T>(flow: Runnable<T>, options: RunFlowOptions<T> = {}): Promise<FlowReport> {
  const { done } = await begin('run', flow, options)
  return await done
}

/**
 * Starts a flow, and returns a handle to stop it: for unbounded flows.
 *
 * @throws what is wrong with the flow or its sources, before anything is read; later errors reject `done`
 * @example
 * const endless = function* () {
 *   for (let n = 0; ; n += 1) yield n
 * }
 * const running = await start(flow(endless).aggregate({ n: count() }))
 * setTimeout(() => running.drain(), 10)
 * await running.done // => { events: 1, late: 0, dead: 0, ahead: 0 }
 */
export async function start<T>(flow: Runnable<T>, options: RunFlowOptions<T> = {}): Promise<RunningFlow> {
  return await begin('start', flow, options)
}

/**
 * The events of a flow, one by one; the first `next()` starts it. A slow reader slows the sources; `break` closes them,
 * and waits for that. An error is thrown after the events that came before it.
 *
 * @example
 * const seen: number[] = []
 * const endless = function* () {
 *   for (let n = 0; ; n += 1) yield n
 * }
 * for await (const n of stream(flow(endless).map((n) => n * 2))) if (seen.push(n) === 3) break
 * seen // => [0, 2, 4]
 */
export function stream<T>(flow: Runnable<T>, options: FlowRunOptions = {}): AsyncGenerator<T, void> {
  return streaming(flow, settingsOf('stream', options))
}

async function* streaming<T>(flow: Runnable<T>, settings: Settings): AsyncGenerator<T, void> {
  const rejections = new RejectionLog(settings)
  const batches = handedOver((last) => startFlow('stream', flow, [last], { ...settings, rejections }, true))
  for await (const batch of batches) yield* batch as readonly T[]
  rejections.warn()
}

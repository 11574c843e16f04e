// A flow under way: where its events go, and how it is stopped.

import type { Writable } from 'node:stream'
import type { WritableStream } from 'node:stream/web'
import type { Clock } from '../base/clock.ts'
import { orGivenUp } from '../base/closing.ts'
import { keepingAlive } from '../base/keep-alive.ts'
import { consumer } from '../stage/make.ts'
import type { Consumer } from '../stage/stage.ts'
import { coreOf } from '../stage/subscribe.ts'
import { into } from '../stage/to.ts'
import type { Executor } from './executor.ts'
import { type FlowReport, type FlowRunOptions, settingsOf } from './options.ts'
import { type FailedCall, RejectionLog } from './rejection-log.ts'
import { type Runnable, startFlow } from './start.ts'

/** A sink of a flow: a stage, a stream, or a function that gets batches. */
export type FlowSink<T> = Consumer<T> | Writable | WritableStream<T> | ((events: readonly T[]) => Promise<void> | void)

export interface RunFlowOptions<T> extends FlowRunOptions {
  /** Where the flow's events go; counted and dropped by default. With several, each event goes to one. */
  readonly into?: FlowSink<T> | readonly Consumer<T>[]
}

/** A flow under way. */
export interface RunningFlow {
  /** Resolves when everything has ended and is closed; rejects with the error that made it fail. */
  readonly done: Promise<FlowReport>
  /** The call of a user function that threw, in this thread, if that is why it failed. */
  readonly failedCall: FailedCall | undefined
  /** Closes the sources, and lets everything through: state and windows emit their results. Settles as `done`. */
  drain(): Promise<FlowReport>
  /** Ends it now, in every thread; what is under way is lost, and `done` rejects with the reason. */
  cancel(reason?: unknown): Promise<void>
  /** Drains; throws the error of the run. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * @param executor - runs it, instead of the one that suits it
 */
export async function begin<T>(
  what: string,
  flow: Runnable<T>,
  options: RunFlowOptions<T>,
  executor?: Executor,
): Promise<RunningFlow> {
  const { into: sink = () => {}, ...others } = options
  const settings = settingsOf(what, others)
  let handed = 0
  const consumers = consumersOf(sink, (events) => {
    handed += events
  }).map(coreOf)
  const rejections = new RejectionLog(settings)
  const { clock, signal } = settings
  const starting = startFlow(what, flow, consumers, { ...settings, rejections, executor })
  const run = await keepingAlive(orGivenUp(starting, signal), clock)
  const done = finish(run.done, rejections, clock, () =>
    typeof sink === 'function' ? handed : consumers.reduce((sum, consumer) => sum + consumer.stats().received, 0),
  )
  const drain = (): Promise<FlowReport> => {
    run.drain()
    return done
  }
  return {
    done,
    get failedCall() {
      return rejections.failedCall
    },
    drain,
    async cancel(reason = new DOMException('The run was cancelled', 'AbortError')) {
      await run.cancel(reason)
      await done.catch(() => {}) // Rejects with the reason, for its caller.
    },
    async [Symbol.asyncDispose]() {
      await drain()
    },
  }
}

async function finish(
  done: Promise<void>,
  rejections: RejectionLog,
  clock: Clock,
  eventsGiven: () => number,
): Promise<FlowReport> {
  await keepingAlive(done, clock)
  rejections.warn()
  return { events: eventsGiven(), late: rejections.tooLate, dead: rejections.refused, ahead: rejections.tooFarAhead }
}

/** Sinks as stages; the events of a function are counted as it gets them. */
function consumersOf<T>(sink: RunFlowOptions<T>['into'], count: (events: number) => void): readonly Consumer<never>[] {
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

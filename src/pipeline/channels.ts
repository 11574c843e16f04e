// What runs publish to listeners in this process: channels of `node:diagnostics_channel`.

import { channel } from 'node:diagnostics_channel'
import type { DeadLetter } from '../connect/origin.ts'
import type { Totals } from '../connect/sink.ts'
import type { RunEvent, RunReport } from './report.ts'

/**
 * What is published on each channel. Where nobody has subscribed nothing is made and nothing is published; what a
 * subscriber throws is thrown again as an uncaught exception by Node, and does not reach the run.
 */
export interface RunMessages {
  /** A run begins: `resumedEpoch` is the last one that earlier runs had committed. */
  readonly 'sluice:run:start': {
    readonly pipeline: string
    readonly source: string
    readonly sink: string
    readonly resumedEpoch: number | undefined
  }
  /** An epoch is committed; totals are over all runs, and times in milliseconds. */
  readonly 'sluice:run:commit': {
    readonly pipeline: string
    readonly epoch: number
    readonly totals: Totals
    readonly tookMs: number
  }
  /** A record is rejected: it becomes durable with the commit of its epoch. Its raw form is data, and may be secret. */
  readonly 'sluice:run:reject': { readonly pipeline: string; readonly letter: DeadLetter }
  /** Something failed: after `waitMs` the run begins again from its last commit. */
  readonly 'sluice:run:retry': {
    readonly pipeline: string
    readonly error: unknown
    readonly attempt: number
    readonly waitMs: number
  }
  /** A run has ended: with a report, or with the error that stopped it. */
  readonly 'sluice:run:end':
    | { readonly pipeline: string; readonly outcome: RunReport['outcome']; readonly report: RunReport }
    | { readonly pipeline: string; readonly outcome: 'failed'; readonly error: unknown }
}

/** Publishes what others than the starter of a run may want to hear of its events. */
export function publishEvent(pipeline: string, event: RunEvent): void {
  switch (event.kind) {
    case 'started': {
      const { source, sink, resumedEpoch } = event
      return publish('sluice:run:start', { pipeline, source, sink, resumedEpoch })
    }
    case 'committed': {
      const { epoch, totals, tookMs } = event
      return publish('sluice:run:commit', { pipeline, epoch, totals, tookMs })
    }
    case 'dead-letter':
      return publish('sluice:run:reject', { pipeline, letter: event.letter })
    case 'retrying': {
      const { error, attempt, waitMs } = event
      return publish('sluice:run:retry', { pipeline, error, attempt, waitMs })
    }
    default:
  }
}

export function publish<Name extends keyof RunMessages>(name: Name, message: RunMessages[Name]): void {
  const to = channel(name)
  if (to.hasSubscribers) to.publish(message)
}

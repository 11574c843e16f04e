// The splits of a source, handed out each once.

import type { Source, Split } from '../connect/source.ts'

/** Hands out the splits of one source, each once, to all stages that read it, in whatever thread. */
export interface SplitQueue {
  take(): Split | undefined
}

/** Lists the splits, for the first stage that asks. */
export type QueueOf = (signal: AbortSignal) => Promise<SplitQueue>

/** The splits of a source in this thread alone. */
export function localQueue(source: Source<unknown>): QueueOf {
  let listed: Promise<SplitQueue> | undefined
  return (signal) => {
    listed ??= list(source, signal)
    return listed
  }
}

async function list(source: Source<unknown>, signal: AbortSignal): Promise<SplitQueue> {
  const splits = await source.splits({ signal })
  let next = 0
  return {
    take() {
      next += 1
      return splits[next - 1]
    },
  }
}

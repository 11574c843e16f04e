// The splits of a source, handed out each once.

import type { Source, Split } from '../connect/source.ts'

/** Hands out the splits of one source, each once, to all stages that read it, wherever they are. */
export interface SplitQueue {
  /**
   * The next split; undefined after the last one. Gives a promise only where it has to wait, for whoever lists them or
   * hands them out elsewhere; that rejects with the signal's reason.
   */
  take(signal: AbortSignal): Split | undefined | Promise<Split | undefined>
}

/** The splits of a source in this thread alone; listed for the first stage that asks. */
export function localQueue(source: Source<unknown>): SplitQueue {
  let splits: readonly Split[] | undefined
  let listing: Promise<void> | undefined
  let next = 0
  const take = (): Split | undefined => {
    next += 1
    return splits?.[next - 1]
  }
  const list = async (signal: AbortSignal): Promise<void> => {
    splits = await source.splits({ signal })
  }
  return {
    take(signal) {
      if (splits !== undefined) return take()
      listing ??= list(signal)
      return listing.then(take)
    },
  }
}

// The splits of a source, each handed out once.

import type { Source, Split } from '../connect/source.ts'

/** Hands out the splits of one source, each once, to all stages that read it, wherever they run. */
export interface SplitQueue {
  /**
   * The next split; undefined after the last one. Returns a promise only if it has to wait, for a listing or for
   * another process; that rejects with the signal's reason.
   */
  take(signal: AbortSignal): Split | undefined | Promise<Split | undefined>
}

/** The splits of a source in this thread alone; listed when the first stage asks. */
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

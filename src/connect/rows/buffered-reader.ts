// A reader over rows that come in batches: it gives them out as far as it is asked, and knows where it stands.

import { type Entry, type Origin, traced } from '../origin.ts'
import type { Position, SourceCounts, SplitReader } from '../source.ts'

/** Rows and where each of them is. */
export interface RowFeed<Row> {
  /** The next rows, at least one; undefined at the end. */
  next(): readonly Row[] | undefined | Promise<readonly Row[] | undefined>
  originOf(row: Row, number: number): Origin
  /** The position after a row; undefined: before the first. */
  positionAfter(row: Row | undefined, number: number): Position
  close(): void | Promise<void>
}

/** @param from - how many rows earlier runs had read */
export function rowReader<Row>(feed: RowFeed<Row>, from: number, signal: AbortSignal | undefined): SplitReader<Row> {
  const counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  let rows: readonly Row[] = []
  let at = 0
  let last: Row | undefined
  let isClosed = false

  const take = (max: number): readonly Entry<Row>[] => {
    const entries: Entry<Row>[] = []
    for (; at < rows.length && entries.length < max; at += 1) {
      last = rows[at] as Row
      entries.push(traced(last, feed.originOf(last, from + counts.read)))
      counts.read += 1
    }
    return entries
  }

  const filled = (next: readonly Row[] | undefined, max: number): readonly Entry<Row>[] | undefined => {
    if (next === undefined) return undefined
    rows = next
    at = 0
    return take(max)
  }

  return {
    read(max) {
      signal?.throwIfAborted()
      if (isClosed) return undefined
      if (at < rows.length) return take(max)
      const next = feed.next()
      return next instanceof Promise ? next.then((later) => filled(later, max)) : filled(next, max)
    },
    position: () => feed.positionAfter(last, from + counts.read),
    counts,
    get doneBytes() {
      return 0
    },
    async close() {
      if (isClosed) return
      isClosed = true
      rows = []
      await feed.close()
    },
  }
}

// Reads as much of a source as there is time for, in parts spread over all of it.

import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { ReadBatch } from '../connect/batch.ts'
import type { Position, Source, Split } from '../connect/source.ts'

export interface SampleOptions {
  readonly onRead: (read: ReadBatch<unknown>) => void
  /** When to stop, in milliseconds of the system clock, and a signal of the same time for reads that wait. */
  readonly untilMs: number
  readonly signal: AbortSignal
  /** The most records; no limit by default. */
  readonly maxRecords?: number
  /** How much of a part is read before the next one's turn. 4 MiB by default. */
  readonly turnBytes?: number
}

/** What was read. */
export interface Sampled {
  readonly records: number
  /** Whether that is all there is. */
  readonly isWhole: boolean
  /** The share of the whole that was read; undefined if unknown. */
  readonly share: number | undefined
  /** Parts that could not be read. */
  readonly unread: readonly { readonly split: string; readonly reason: string }[]
}

const TURN_BYTES = 4 * 1024 * 1024
/** The most records of one read: one must not take long. */
const READ_RECORDS = 1000
const MOST_UNREAD = 1000

interface Turn {
  readonly split: Split
  readonly from: Position | undefined
}

/**
 * Reads a source until its end, or until time is over. Where it has several parts they take turns, in an order in which
 * the parts read so far are spread evenly.
 *
 * @throws what the source throws, if none of its parts can be read
 */
export async function sample(source: Source<unknown>, options: SampleOptions): Promise<Sampled> {
  const { untilMs, signal, maxRecords = Number.POSITIVE_INFINITY, turnBytes = TURN_BYTES } = options
  const splits = await source.splits({ signal })
  const queue: Turn[] = spread(splits).map((split) => ({ split, from: undefined }))
  const done = new Map<Split, number>()
  const unread: { split: string; reason: string }[] = []
  let firstError: unknown
  let records = 0
  const isOver = (): boolean => signal.aborted || systemClock.nowMs() >= untilMs || records >= maxRecords
  /** Reads a part for its turn; where it continues, or undefined after its end. */
  const take = async ({ split, from }: Turn): Promise<Turn | undefined> => {
    const reader = await source.open(split, from, { signal })
    try {
      const startBytes = reader.doneBytes
      const { blank } = reader.counts
      for (;;) {
        if (isOver()) return { split, from: reader.position() }
        const read = await reader.read(Math.min(READ_RECORDS, maxRecords - records))
        done.set(split, reader.doneBytes)
        if (read === undefined) return undefined
        records += read.events.length + read.rejected.length
        options.onRead(read)
        const isTurnOver = reader.doneBytes - startBytes >= turnBytes || reader.counts.blank - blank >= 1_000_000
        if (queue.length > 0 && isTurnOver) return { split, from: reader.position() }
      }
    } finally {
      await reader.close()
    }
  }
  let isCut = false
  for (let turn = queue.shift(); turn !== undefined; turn = queue.shift()) {
    if (isOver()) {
      isCut = true
      break
    }
    try {
      const rest = await take(turn)
      if (rest !== undefined) queue.push(rest)
    } catch (thrown) {
      if (signal.aborted) {
        isCut = true
        break
      }
      firstError ??= thrown
      if (unread.length < MOST_UNREAD) unread.push({ split: turn.split.id, reason: messageOf(thrown) })
    }
  }
  if (firstError !== undefined && unread.length === splits.length) throw firstError
  return { records, isWhole: !isCut && unread.length === 0, share: shareOf(splits, done), unread }
}

function shareOf(splits: readonly Split[], done: ReadonlyMap<Split, number>): number | undefined {
  let [all, read] = [0, 0]
  for (const split of splits) {
    if (split.sizeBytes === undefined) return undefined
    all += split.sizeBytes
    read += Math.min(split.sizeBytes, done.get(split) ?? 0)
  }
  return all === 0 || read === 0 ? undefined : read / all
}

/**
 * The same elements, each as far as possible from those before it: first, middle, quarters …
 *
 * @example
 * spread([0, 1, 2, 3, 4]) // => [0, 4, 2, 1, 3]
 */
export function spread<T>(elements: readonly T[]): T[] {
  const bits = Math.ceil(Math.log2(Math.max(1, elements.length)))
  const order: T[] = []
  for (let at = 0; at < 2 ** bits; at += 1) {
    let place = 0
    for (let bit = 0; bit < bits; bit += 1) if ((at & (1 << bit)) !== 0) place |= 1 << (bits - 1 - bit)
    const element = elements[place]
    if (place < elements.length) order.push(element as T)
  }
  return order
}

// What every source must hold, as tests: run them for one of your own.

import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { checkKeys } from '../../base/check.ts'
import { isSluiceError } from '../../base/errors.ts'
import { type ReadBatch, recordsOf } from '../../connect/batch.ts'
import type { SourceRecord } from '../../connect/origin.ts'
import type { OpenOptions, Position, Source, SourceCounts, Split, SplitReader } from '../../connect/source.ts'
import { below, seededRandom } from '../random.ts'
import { Calls } from './calls.ts'
import { positionOf, readEntries, valuesIn } from './reading.ts'

/** A source, and its expected records. */
export interface SourceSample<T> {
  readonly source: Source<T>
  /** All values, in the order of the splits and of what is in them. */
  readonly expected: readonly T[]
  /** How many records become dead letters: none by default. */
  readonly deadLetters?: number
  /** Cleans up what was made for the source. */
  readonly cleanup?: () => void | Promise<void>
}

/** A source that has nothing to read for now. */
export type WaitingSample = Pick<SourceSample<unknown>, 'source' | 'cleanup'>

/** A source under test. */
export interface SourceSubject<T> {
  readonly name: string
  /** A source with a few to a few thousand values, a new one for each test. */
  readonly make: () => SourceSample<T> | Promise<SourceSample<T>>
  /**
   * A source that has nothing to read for now, and does not end: its reads wait. The test of waiting reads is skipped
   * for sources that never wait.
   */
  readonly makeWaiting?: () => WaitingSample | Promise<WaitingSample>
  /** The most places of a split at which reading is stopped and resumed: 50 by default, chosen by a seed. */
  readonly resumes?: number
}

/**
 * Holds a source to its contract: everything comes once and in order, at most as much at a time as was asked for; after
 * every position comes exactly the rest; counts add up; readers do not disturb each other, and release what they held;
 * waiting reads end when they are aborted.
 *
 * @example
 * import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * sourceConformance({
 *   name: 'lines',
 *   make: () => {
 *     const folder = mkdtempSync(join(tmpdir(), 'lines-'))
 *     writeFileSync(join(folder, 'a.txt'), 'one\ntwo\n')
 *     const cleanup = () => rmSync(folder, { recursive: true })
 *     return { source: lines(`${folder}/*.txt`), expected: ['one', 'two'], cleanup }
 *   },
 * })
 */
export function sourceConformance<T>(subject: SourceSubject<T>): void {
  checkKeys('sourceConformance', subject, ['name', 'make', 'makeWaiting', 'resumes'])
  const rule = (name: string, check: (sample: SourceSample<T>) => Promise<void>, make = subject.make): void => {
    it(name, async () => {
      const sample = await make()
      const { source, expected, deadLetters = 0 } = sample
      const calls = new Calls()
      try {
        await calls.under(name, async () => await check({ expected, deadLetters, source: calls.of('source', source) }))
      } finally {
        await sample.cleanup?.()
      }
    })
  }

  describe(`${subject.name} source`, () => {
    rule('names the same splits each time it is asked, each by an id of its own', checkSplits)
    for (const max of [1, 3, 1000]) {
      rule(`R30: gives everything once and in order, asked for ${max} at a time`, (sample) => checkAll(sample, max))
    }
    rule('resumes after every position with exactly the rest', (sample) => checkResume(sample, subject.resumes ?? 50))
    rule('gives nothing twice after the position at its end', checkEnd)
    rule('rejects a foreign position', checkStrange)
    rule('tells the same origins later, and in any order, as at once', checkOrigins)
    rule('keeps readers apart that read at the same time', checkApart)
    rule('releases what a reader held, wherever that is closed', checkRelease)
    rule('settles a read during which it is closed', checkClose)
    rule('stops with the reason of a signal', checkAbort)
    const { makeWaiting } = subject
    if (makeWaiting !== undefined) {
      const make = async (): Promise<SourceSample<T>> => ({ ...(await makeWaiting()), expected: [] }) as never
      rule('ends a waiting read when it is told to', checkWaiting, make)
    }
  })
}

/** What a reader returned, and where it stood after each entry. */
interface Reading<T> {
  readonly entries: SourceRecord<T>[]
  /** Positions before the first entry and after each, if one was asked for at a time. */
  readonly positions: Position[]
  /** The counts that belong to them. */
  readonly counts: SourceCounts[]
}

async function readSplit<T>(
  source: Source<T>,
  split: Split,
  { from, max = 100, open = {} }: { from?: Position; max?: number; open?: OpenOptions } = {},
): Promise<Reading<T>> {
  const reader = await source.open(split, from, open)
  const reading: Reading<T> = { entries: [], positions: [positionOf(reader)], counts: [{ ...reader.counts }] }
  let doneBytes = reader.doneBytes
  try {
    for (let some = await readEntries(reader, max); some !== undefined; some = await readEntries(reader, max)) {
      ok(some.length >= 1 && some.length <= max, `a read of up to ${max} gave ${some.length} entries`)
      reading.entries.push(...some)
      reading.positions.push(positionOf(reader))
      reading.counts.push({ ...reader.counts })
      ok(reader.doneBytes >= doneBytes, `it is further back than before: ${reader.doneBytes}, before ${doneBytes}`)
      doneBytes = reader.doneBytes
    }
    equal(await reader.read(max), undefined, 'an end stays the end')
    reading.positions.push(positionOf(reader))
    reading.counts.push({ ...reader.counts })
    return reading
  } finally {
    await reader.close()
  }
}

async function checkSplits<T>({ source }: SourceSample<T>): Promise<void> {
  const splits = await source.splits()
  ok(splits.length > 0, 'there is a split')
  deepEqual(await source.splits(), splits, 'splits are the same each time')
  equal(new Set(splits.map(({ id }) => id)).size, splits.length, 'no two splits have the same id')
}

async function checkAll<T>({ source, expected, deadLetters = 0 }: SourceSample<T>, max: number): Promise<void> {
  const entries: SourceRecord<T>[] = []
  for (const split of await source.splits()) {
    const reading = await readSplit(source, split, { max })
    const { read, blank } = reading.counts.at(-1) as SourceCounts
    equal(read, reading.entries.length + blank, 'what was read is given, or blank')
    entries.push(...reading.entries)
  }
  deepEqual(valuesIn(entries), expected)
  equal(entries.filter((entry) => entry.kind === 'dead').length, deadLetters, 'dead letters')
}

async function checkResume<T>({ source }: SourceSample<T>, resumes: number): Promise<void> {
  for (const split of await source.splits()) {
    const whole = await readSplit(source, split, { max: 1 })
    const last = whole.counts.at(-1) as SourceCounts
    for (const given of sampleOf(whole.entries.length + 1, resumes)) {
      const rest = await readSplit(source, split, { from: whole.positions[given] as Position })
      deepEqual(rest.entries, whole.entries.slice(given), `after ${given} of split ${split.id}`)
      const [before, after] = [whole.counts[given] as SourceCounts, rest.counts.at(-1) as SourceCounts]
      deepEqual(
        { read: before.read + after.read, blank: before.blank + after.blank },
        { read: last.read, blank: last.blank },
        `counts before and after ${given} of split ${split.id} add up`,
      )
    }
  }
}

/** Some of the numbers below `count`, the first and the last among them; all if they are few. */
function sampleOf(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index)
  const random = seededRandom(1)
  const some = new Set([0, 1, count - 2, count - 1])
  while (some.size < most) some.add(below(count, random))
  return [...some].sort((a, b) => a - b)
}

async function checkEnd<T>({ source }: SourceSample<T>): Promise<void> {
  for (const split of await source.splits()) {
    const { positions } = await readSplit(source, split)
    const again = await readSplit(source, split, { from: positions.at(-1) as Position })
    deepEqual(again.entries, [])
    equal(again.counts.at(-1)?.read, 0)
    const third = await readSplit(source, split, { from: again.positions.at(-1) as Position })
    deepEqual(third.entries, [])
  }
}

async function checkStrange<T>({ source }: SourceSample<T>): Promise<void> {
  const [split] = await source.splits()
  const opened = source.open(split as Split, { strange: ['position'] }).then((reader) => reader.close())
  await rejects(
    opened,
    (error) => isSluiceError(error, 'POSITION_LOST'),
    'open rejects a position that is not one of its own with POSITION_LOST',
  )
}

async function checkOrigins<T>({ source }: SourceSample<T>): Promise<void> {
  for (const split of await source.splits()) {
    const { entries } = await readSplit(source, split, { max: 1 })
    const reader = await source.open(split, undefined)
    const reads: ReadBatch<T>[] = []
    try {
      for (let some = await reader.read(3); some !== undefined; some = await reader.read(3)) reads.push(some)
    } finally {
      await reader.close()
    }
    const late = reads.reverse().flatMap((read) => {
      const events = read.events.select([...read.events.values().keys()].reverse())
      const rejected = read.rejected.map(({ letter }) => letter).reverse()
      return recordsOf({ events, rejected: rejected.map((letter) => ({ at: events.length, letter })) })
    })
    const byOffset = (all: readonly SourceRecord<T>[]): SourceRecord<T>[] =>
      [...all].sort((a, b) => a.origin.offset - b.origin.offset)
    deepEqual(byOffset(late), byOffset(entries))
  }
}

/** Two readers of each split, all of them in turns. */
async function checkApart<T>({ source }: SourceSample<T>): Promise<void> {
  const splits = (await source.splits()).slice(0, 4)
  const readers = await Promise.all([...splits, ...splits].map((split) => source.open(split, undefined)))
  try {
    const given: SourceRecord<T>[][] = readers.map(() => [])
    const open = new Set(readers.keys())
    while (open.size > 0) {
      for (const place of open) {
        const some = await readEntries(readers[place] as SplitReader<T>, 2)
        if (some === undefined) open.delete(place)
        else given[place]?.push(...some)
      }
    }
    for (const [place, split] of [...splits, ...splits].entries()) {
      deepEqual(given[place], (await readSplit(source, split)).entries, `split ${split.id}`)
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.close()))
  }
}

async function checkRelease<T>({ source }: SourceSample<T>): Promise<void> {
  const [split] = await source.splits()
  const before = openDescriptors()
  for (let times = 0; times < 20; times += 1) {
    const reader = await source.open(split as Split, undefined)
    if (times % 2 === 0) await reader.read(1)
    await reader.close()
    await reader.close()
  }
  ok(openDescriptors() < before + 10, `${openDescriptors()} descriptors are open, before it were ${before}`)
}

/** How many descriptors this process holds; 0 if the system does not tell. */
function openDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
}

async function checkClose<T>({ source }: SourceSample<T>): Promise<void> {
  const [split] = await source.splits()
  const reader = await source.open(split as Split, undefined)
  const reading = Promise.resolve(reader.read(1)).catch(() => 'failed')
  await reader.close()
  // Its value does not matter, only that it settles.
  await reading
}

async function checkAbort<T>({ source, expected, deadLetters = 0 }: SourceSample<T>): Promise<void> {
  const reason = new Error('enough')
  const [split] = await source.splits()
  const opening = source.open(split as Split, undefined, { signal: AbortSignal.abort(reason) })
  await rejects(opening, reason, 'open itself rejects with the reason of a signal that is already aborted')
  const controller = new AbortController()
  const reader = await source.open(split as Split, undefined, { signal: controller.signal })
  try {
    await reader.read(1)
    controller.abort(reason)
    // What is at hand may still come, and that may be all.
    for (let reads = 0; reads <= expected.length + deadLetters; reads += 1) {
      if ((await reader.read(1)) === undefined) return
    }
    ok(false, 'a read after the signal was aborted neither ended nor rejected with its reason')
  } catch (error) {
    equal(error, reason, 'a read rejects with the reason of its signal')
  } finally {
    await reader.close()
  }
}

async function checkWaiting({ source }: WaitingSample): Promise<void> {
  const reason = new Error('enough')
  const controller = new AbortController()
  const { signal } = controller
  const reading = (async () => {
    const [split] = await source.splits({ signal })
    const reader = await source.open(split as Split, undefined, { signal })
    try {
      await reader.read(1)
    } finally {
      await reader.close()
    }
  })()
  reading.catch(() => {})
  // Late enough for it to wait, most of the time; right in any case.
  setImmediate(() => setImmediate(() => controller.abort(reason)))
  await rejects(reading, reason, 'a read that waits rejects with the reason of its signal once that is aborted')
}

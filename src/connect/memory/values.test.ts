import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../../base/errors.ts'
import { readEntries } from '../../testing/conformance/reading.ts'
import { sourceConformance } from '../../testing/conformance/source.ts'
import { atRest, ManualClock } from '../../testing/manual-clock.ts'
import type { Tracked } from '../origin.ts'
import type { Position, Source } from '../source.ts'
import { ticksSource } from './ticks.ts'
import { valuesSource } from './values.ts'

async function open<T>(source: Source<T>, from?: Position, signal?: AbortSignal) {
  const [split] = await source.splits()
  return await source.open(split as never, from, signal === undefined ? {} : { signal })
}

async function all<T>(source: Source<T>, from?: Position): Promise<T[]> {
  const reader = await open(source, from)
  const found: T[] = []
  for (let read = await readEntries(reader, 3); read !== undefined; read = await readEntries(reader, 3)) {
    found.push(...(read as readonly Tracked<T>[]).map(({ value }) => value))
  }
  await reader.close()
  return found
}

async function* slowly(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n += 1) yield n
}

sourceConformance<number>({
  name: 'values',
  make: () => {
    const expected = Array.from({ length: 300 }, (_, n) => n)
    return { source: valuesSource(expected), expected }
  },
})

sourceConformance<number>({
  name: 'values that come one by one',
  make: () => ({ source: valuesSource(() => slowly(200)), expected: Array.from({ length: 200 }, (_, n) => n) }),
  makeWaiting: () => ({
    source: valuesSource(async function* (): AsyncGenerator<number> {
      await new Promise(() => {})
    }),
  }),
})

describe('values', () => {
  const inputs: Readonly<Record<string, () => Source<number>>> = {
    'an array': () => valuesSource([0, 1, 2, 3, 4]),
    'a set': () => valuesSource(new Set([0, 1, 2, 3, 4])),
    'a function that gives an array': () => valuesSource(() => [0, 1, 2, 3, 4]),
    'a generator': () =>
      valuesSource(function* () {
        yield* [0, 1, 2, 3, 4]
      }),
    'an async generator': () => valuesSource(() => slowly(5)),
  }
  for (const [what, make] of Object.entries(inputs)) {
    it(`gives those of ${what}, in order, from any position on`, async () => {
      for (let from = 0; from <= 5; from += 1) {
        deepEqual(await all(make(), from === 0 ? undefined : from), [0, 1, 2, 3, 4].slice(from))
      }
    })
  }

  it('says where each came from', async () => {
    const reader = await open(valuesSource(['a', { b: 1 }, 2n]))
    const read = (await readEntries(reader, 10)) as readonly Tracked<unknown>[]
    deepEqual(
      read.map(({ origin }) => origin),
      [
        { source: 'values', line: 0, offset: 0, raw: 'a' },
        { source: 'values', line: 0, offset: 1, raw: '{"b":1}' },
        { source: 'values', line: 0, offset: 2, raw: '2' },
      ],
    )
    deepEqual([reader.position(), reader.counts.read], [3, 3])
  })

  it('gives what is there, and does not wait for more', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const reader = await open(
      valuesSource(async function* () {
        yield 1
        yield 2
        await promise
        yield 3
      }),
    )
    equal(((await readEntries(reader, 10)) as readonly unknown[]).length, 2)
    equal(reader.position(), 2)
    resolve()
    equal(((await readEntries(reader, 10)) as readonly unknown[]).length, 1)
    equal(await readEntries(reader, 10), undefined)
  })

  it('stops waiting when it is aborted', async () => {
    const stop = new AbortController()
    const reader = await open(
      valuesSource(async function* (): AsyncGenerator<number> {
        await new Promise(() => {})
      }),
      undefined,
      stop.signal,
    )
    const read = reader.read(1)
    const reason = new Error('enough')
    stop.abort(reason)
    await rejects(async () => await read, reason)
    await reader.close()
  })

  it('tells a generator that it is not wanted any more', async () => {
    let isClosed = false
    const reader = await open(
      valuesSource(function* () {
        try {
          yield* [1, 2, 3]
        } finally {
          isClosed = true
        }
      }),
    )
    await readEntries(reader, 1)
    await reader.close()
    equal(isClosed, true)
  })

  it('passes on what the iterable throws, as it is', async () => {
    const mine = new Error('mine')
    const broken = valuesSource(async function* () {
      yield 1
      throw mine
    })
    await rejects(all(broken), (error) => error === mine)
  })

  it('does not go on where there are fewer than before, or from a position of something else', async () => {
    const lost = (error: unknown) => isSluiceError(error, 'POSITION_LOST')
    await rejects(open(valuesSource([1, 2]), 3), lost)
    for (const position of [-1, 1.5, 'x', null, { page: 1 }]) await rejects(open(valuesSource([1]), position), lost)
  })

  it('refuses what cannot be iterated', async () => {
    throws(() => valuesSource(5 as never), TypeError)
    await rejects(open(valuesSource((() => 5) as never)), TypeError)
  })
})

describe('ticks', () => {
  it('come at once and then at every interval, with the time', async () => {
    const clock = new ManualClock({ startMs: 5000 })
    const reader = await open(ticksSource(100, { clock }))
    const counts: unknown[] = []
    for (let n = 0; n < 3; n += 1) {
      const read = readEntries(reader, 10)
      if (n > 0) await clock.advance(100)
      counts.push(...((await read) as readonly Tracked<unknown>[]).map(({ value }) => value))
    }
    deepEqual(counts, [
      { count: 0, timeMs: 5000 },
      { count: 1, timeMs: 5100 },
      { count: 2, timeMs: 5200 },
    ])
  })

  it('are not made up for when nobody took them in time', async () => {
    const clock = new ManualClock()
    const reader = await open(ticksSource(100, { clock }))
    await readEntries(reader, 1)
    await clock.advance(350)
    await readEntries(reader, 1)
    const read = reader.read(1) as Promise<unknown>
    let isThere = false
    void read.then(() => {
      isThere = true
    })
    await clock.advance(49)
    equal(isThere, false)
    await clock.advance(1)
    equal(isThere, true)
  })

  it('count on where an earlier run left off', async () => {
    const reader = await open(ticksSource(100, { clock: new ManualClock() }), 7)
    const [first] = (await readEntries(reader, 1)) as readonly Tracked<{ count: number }>[]
    equal(first?.value.count, 7)
    equal(reader.position(), 8)
  })

  it('end when they are aborted', async () => {
    const clock = new ManualClock()
    const stop = new AbortController()
    const reader = await open(ticksSource(100, { clock }), undefined, stop.signal)
    await readEntries(reader, 1)
    const read = reader.read(1)
    await atRest()
    const reason = new Error('enough')
    stop.abort(reason)
    await rejects(async () => await read, reason)
    equal(clock.sleepers, 0)
  })

  it('refuse invalid intervals and positions', async () => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1' as never])
      throws(() => ticksSource(bad), RangeError)
    await rejects(open(ticksSource(1), 'x'), (error) => isSluiceError(error, 'POSITION_LOST'))
  })
})

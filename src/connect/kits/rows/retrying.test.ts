import { deepEqual, equal, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readEntries } from '../../../testing/conformance/reading.ts'
import { batchOf } from '../../batch.ts'
import type { Position, SplitReader } from '../../source.ts'
import { retryingReader } from './retrying.ts'

describe('retryingReader', () => {
  /** Gives 1 to 6 by twos; `failing` says at which calls, of all readers, it fails, and with what. */
  const reading = async (failing: Record<number, string>, retryMs = 60_000) => {
    let [calls, nowMs, open] = [0, 0, 0]
    const [opened, notes]: [unknown[], string[]] = [[], []]
    const pass = (ms: number): void => {
      nowMs += ms
    }
    const call = (): void => {
      calls += 1
      const error = failing[calls]
      if (error !== undefined) throw new Error(error)
    }
    const reader = await retryingReader<number>({
      async open(from) {
        opened.push(from)
        call()
        open += 1
        let at = (from as number | undefined) ?? 0
        const counts = { read: 0, blank: 0, invalidUtf8: 0 }
        return {
          read() {
            call()
            if (at === 6) return undefined
            at += 2
            counts.read += 2
            return { events: batchOf([at - 1, at]), rejected: [] }
          },
          position: (): Position => at,
          counts,
          doneBytes: 5,
          async close() {
            open -= 1
          },
        } as SplitReader<number>
      },
      from: undefined,
      mayPass: (error) => (error as Error).message === 'lost',
      retryMs,
      signal: undefined,
      onNote: (note) => notes.push(note),
      clock: { nowMs: () => nowMs, wallMs: () => 0, sleep: async (ms) => pass(ms) },
    })
    const all = async () => {
      const found: number[] = []
      for (;;) {
        const entries = await readEntries(reader, 2)
        if (entries === undefined) return found
        found.push(...entries.map((entry) => (entry.kind === 'event' ? entry.value : -1)))
      }
    }
    return { reader, all, opened, notes, openReaders: () => open }
  }

  it('R20: opens again behind the last row that was given, and counts all of them', async () => {
    const { reader, all, opened, notes, openReaders } = await reading({ 1: 'lost', 4: 'lost', 5: 'lost', 7: 'lost' })
    deepEqual(await all(), [1, 2, 3, 4, 5, 6])
    deepEqual(opened, [undefined, undefined, 2, 2, 2])
    deepEqual([reader.counts.read, reader.position(), notes.length], [6, 6, 2])
    await reader.close()
    equal(openReaders(), 0)
  })

  it('R21: gives up after retryMs without a row, and at once on what another attempt does not help against', async () => {
    const always = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [at + 3, 'lost']))
    const { all, opened } = await reading(always)
    await rejects(all(), { message: 'lost' })
    equal(opened.length > 4 && opened.length < 20, true)
    await rejects(reading({ 1: 'no such table' }), { message: 'no such table' })
    await rejects((await reading({ 3: 'bad row' })).all(), { message: 'bad row' })
    await rejects((await reading({ 2: 'lost' }, 0)).all(), { message: 'lost' })
  })
})

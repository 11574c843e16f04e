import { deepEqual, equal, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Entry, traced } from '../connect/origin.ts'
import type { Position, Source, SourceCounts, SplitReader } from '../connect/source.ts'
import { Extractor } from './extract.ts'

/** A source of numbers: split id → its values; a read gives what it may, later if the id says so. */
function numbers(splits: Record<string, readonly number[]>, opened: string[] = []): Source<number> {
  return {
    kind: 'numbers',
    title: 'numbers',
    splits: async () => Object.entries(splits).map(([id, values]) => ({ id, sizeBytes: values.length })),
    open: async (split, from) => {
      opened.push(split.id)
      return readerOf(split.id, splits[split.id] ?? [], from)
    },
  }
}

function readerOf(id: string, values: readonly number[], from: Position | undefined): SplitReader<number> {
  let at = typeof from === 'number' ? from : 0
  const counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  const read = (max: number): Entry<number>[] | undefined => {
    if (at >= values.length) return undefined
    const given = values.slice(at, at + max).map((value, index) => {
      return traced(value, { source: id, line: at + index + 1, offset: at + index, raw: `${value}` })
    })
    at += given.length
    counts.read += given.length
    return given
  }
  return {
    ...(from === values.length ? { note: 'nothing new' } : {}),
    read: id.startsWith('later') ? async (max) => read(max) : read,
    position: () => at,
    counts,
    get doneBytes() {
      return at
    },
    close: async () => {},
  }
}

async function extractorOf(source: Source<number>, positions: Record<string, number> = {}): Promise<Extractor> {
  const splits = await source.splits()
  return new Extractor({ source, splits, positions: new Map(Object.entries(positions)), onOpen: () => {} })
}

async function drain(extractor: Extractor, max: number): Promise<unknown[]> {
  const values: unknown[] = []
  for (let given = await extractor.next(max); given !== undefined; given = await extractor.next(max)) {
    for (const entry of given) values.push(entry.kind === 'event' ? entry.value : entry)
  }
  return values
}

describe('Extractor', () => {
  it('reads the splits one after the other, whether they answer at once or later', async () => {
    const extractor = await extractorOf(numbers({ a: [1, 2, 3], laterB: [4], c: [], d: [5] }))
    deepEqual(await drain(extractor, 2), [1, 2, 3, 4, 5])
    equal(extractor.read, 5)
    equal(extractor.doneBytes, 5)
  })

  it('cuts positions and counts as of what was given', async () => {
    const extractor = await extractorOf(numbers({ a: [1, 2, 3], b: [4, 5] }))
    await extractor.next(2)
    deepEqual(extractor.cut(), { positions: new Map([['a', 2]]), counts: { read: 2, blank: 0, invalidUtf8: 0 } })
    equal(extractor.hasMoved, false)
    await drain(extractor, 10)
    deepEqual(
      extractor.cut().positions,
      new Map([
        ['a', 3],
        ['b', 2],
      ]),
    )
  })

  it('goes on after the positions of an earlier run, and counts only what is new', async () => {
    const extractor = await extractorOf(numbers({ a: [1, 2, 3], b: [4, 5] }), { a: 3, b: 1 })
    deepEqual(await drain(extractor, 10), [5])
    equal(extractor.totalBytes, 1)
    equal(extractor.doneBytes, 1)
    equal(extractor.unchanged, 1)
    deepEqual(extractor.cut().positions, new Map([['b', 2]]))
  })

  it('opens no further split once it was stopped', async () => {
    const opened: string[] = []
    const extractor = await extractorOf(numbers({ a: [1], b: [2] }, opened))
    await extractor.next(1)
    extractor.stop()
    equal(await extractor.next(1), undefined)
    deepEqual(opened, ['a'])
  })

  it('passes a failure of the source on', async () => {
    const source = { ...numbers({ a: [1] }), open: () => Promise.reject(new Error('gone')) }
    const extractor = await extractorOf(source)
    await rejects(async () => extractor.next(1), /gone/)
  })
})

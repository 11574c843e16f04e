// Operators by name over rows whose fields lie side by side, and over the same rows as objects.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { collect, count, csvSource, type Flow, flow, max, mean, min, parquetSource, sum, topK, tumbling } from 'sluice'
import { batchFrom } from '../src/connect/batch.ts'
import { ColumnBatch } from '../src/connect/column-batch.ts'
import { parquetEncoder } from '../src/connect/formats/parquet/write.ts'
import type { Source } from '../src/connect/source.ts'
import { Packer, transferablesOf, Unpacker } from '../src/engine/codec/codec.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { times } from '../src/testing/times.ts'

interface Row {
  readonly k: string | null
  readonly n: number | null
  readonly x: number | null
  readonly at: number
}

const folder = tempFolder('sluice-columns-')
const NULLS = { weight: 1, arbitrary: fc.constant(null) }
const rowsOf = fc.array(
  fc.record<Row>({
    k: fc.oneof({ weight: 30, arbitrary: fc.constantFrom('a', 'b', 'é', 'long '.repeat(9)) }, NULLS),
    n: fc.oneof({ weight: 30, arbitrary: fc.constantFrom(0, 1, -3, 5000, 2 ** 40) }, NULLS),
    x: fc.oneof({ weight: 10, arbitrary: fc.constantFrom(0, -0, 0.1, 1.5, -2.25, 1e300) }, NULLS),
    at: fc.integer({ min: 0, max: 400 }),
  }),
  { maxLength: 200 },
)

/** What happens to rows before they are aggregated. */
const STEPS = {
  overOne: (rows) => rows.where('n', '>=', 1),
  isB: (rows) => rows.where('k', '=', 'b'),
  before: (rows) => rows.where('k', '<', 'b'),
  among: (rows) => rows.where('n', 'in', [0, 1, -3]),
  named: (rows) => rows.where('k', 'in', ['a', 'é']),
  hasKey: (rows) => rows.where('k', 'is not', null),
  lacksX: (rows) => rows.where('x', 'is', null),
  otherKind: (rows) => rows.where('k', '>', 3 as never),
  twice: (rows) => rows.derive('x', ['x'], (x) => (x === null ? null : x * 2)),
  sumOf: (rows) => rows.derive('n', ['n', 'at'], (n, at) => (n ?? 0) + at),
  throwing: (rows) =>
    rows.derive('n', ['n'], (n) => {
      if (n === 5000) throw new Error('over')
      return n
    }),
  reordered: (rows) => rows.select('at', 'x', 'n', 'k'),
  renamed: (rows) => rows.select({ k: 'k', n: 'at', x: 'x', at: 'at' }),
  byFunction: (rows) => rows.map((row) => ({ ...row, n: row.n === null ? null : row.n + 1 })),
  split: (rows) => rows.split('k', 'o') as Flow<Row>,
  splitByWord: (rows) => rows.split('k', ' ') as Flow<Row>,
  filtered: (rows) => rows.filter(({ at }) => at % 3 !== 0),
} satisfies Record<string, (rows: Flow<Row>) => Flow<Row>>

const members = { c: count(), least: min('x'), most: max('k'), all: sum('n'), m: mean('x'), top: topK(2, 'k') }

const ENDS = {
  rows: (rows) => rows,
  byKey: (rows) => rows.keyBy('k').aggregate(members),
  byTwo: (rows) => rows.keyBy('k', 'n').aggregate(members),
  byNumber: (rows) => rows.keyBy('n').aggregate({ m: mean('x') }),
  whole: (rows) => rows.aggregate(members),
  windows: (rows) =>
    rows
      .keyBy('k')
      .window(tumbling(50, 'at', { outOfOrderness: 60 }))
      .aggregate(members),
  twoWindows: (rows) =>
    rows
      .keyBy('k', 'n')
      .window(tumbling(30, 'at', { allowedLateness: 20 }))
      .aggregate({ c: count() }),
  wholeWindows: (rows) => rows.window(tumbling(100, 'at')).aggregate({ c: count(), s: sum('n') }),
  uniq: (rows) => rows.uniq('k', 'at'),
  sorted: (rows) => rows.sort('at'),
} satisfies Record<string, (rows: Flow<Row>) => Flow<unknown>>

const plans = fc.record({
  steps: fc.array(fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])), { maxLength: 4 }),
  end: fc.constantFrom(...(Object.keys(ENDS) as (keyof typeof ENDS)[])),
  stages: fc.constantFrom(1, 2),
})

async function outcome(rows: Flow<unknown>, stages: number): Promise<unknown> {
  try {
    const given = await collect(rows, { stages, onLate: () => {} })
    return given.map((row) => JSON.stringify(row, (_, value) => (Object.is(value, -0) ? '-0' : value))).sort()
  } catch (thrown) {
    return (thrown as Error).message
  }
}

function csvOf(rows: readonly Row[]): Source<Row> {
  const path = join(folder, 'rows.csv')
  const text = (value: unknown): string => (Object.is(value, -0) ? '-0' : String(value ?? ''))
  writeFileSync(path, `k,n,x,at\n${rows.map(({ k, n, x, at }) => `${[k, n, x, at].map(text).join(',')}\n`).join('')}`)
  return csvSource(path, { columns: { k: 'text', n: 'integer', x: 'real', at: 'integer' } }) as Source<Row>
}

async function parquetOf(rows: readonly Row[]): Promise<Source<Row>> {
  const path = join(folder, 'rows.parquet')
  const encoder = await parquetEncoder({ k: 'text', n: 'integer', x: 'real', at: 'integer' })
  for (const { k, n, x, at } of rows) encoder.add([k, n, x, at])
  writeFileSync(path, encoder.finish())
  return parquetSource(path) as Source<Row>
}

describe('rows by their fields', () => {
  it('L114: give of Parquet files what the same rows give as objects', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, plans, async (given, { steps, end, stages }) => {
        // The encoder takes -0 for the 0 that came before it.
        const rows = given.map((row) => ({ ...row, x: row.x === 0 ? 0 : row.x }))
        const planned = (from: Flow<Row>): Flow<unknown> =>
          ENDS[end](steps.reduce((above, step) => STEPS[step](above), from))
        deepEqual(
          await outcome(planned(flow(await parquetOf(rows))), stages),
          await outcome(planned(flow(rows)), stages),
        )
      }),
      { numRuns: times(100) },
    )
  })

  it('L114: give what the same rows give as objects', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, plans, async (rows, { steps, end, stages }) => {
        const planned = (from: Flow<Row>): Flow<unknown> =>
          ENDS[end](steps.reduce((above, step) => STEPS[step](above), from))
        deepEqual(await outcome(planned(flow(csvOf(rows))), stages), await outcome(planned(flow(rows)), stages))
      }),
      { numRuns: times(300) },
    )
  })

  it('L114: stay fields through where, select and derive, and become objects for a function', async () => {
    const source = csvOf(Array.from({ length: 500 }, (_, at) => ({ k: at % 2 ? 'a' : 'b', n: at, x: at / 2, at })))
    const reader = await source.open((await source.splits())[0]!, undefined)
    const batches: unknown[] = []
    for (let some = await reader.read(4096); some !== undefined; some = await reader.read(4096))
      batches.push(some.events)
    await reader.close()
    const [last] = batches.splice(-1)
    ok(last instanceof ColumnBatch)
    equal(last.isByField, true)
    equal(last.at(2), last.values()[2])
    equal(last.isByField, false)
  })
})

describe('rows by their fields, from thread to thread', () => {
  it('L115: arrive as they were, with their places, and stay fields', async () => {
    const rows = Array.from({ length: 300 }, (_, at) => ({
      k: at % 5 ? 'é'.repeat(at % 7) : null,
      n: at % 3 ? at : null,
      x: at / 4,
      at,
    }))
    const source = csvOf(rows)
    const reader = await source.open((await source.splits())[0]!, undefined)
    const packer = new Packer()
    for (let some = await reader.read(4096); some !== undefined; some = await reader.read(4096)) {
      const { events } = some
      const { length } = events
      const isByField = events.isByField === true
      for (const isTracked of [true, false]) {
        const packed = packer.pack(events, isTracked)
        equal(packed.kind === 'fields', isByField)
        const back = new Unpacker().unpack(structuredClone(packed, { transfer: transferablesOf(packed) as never }))
        const batch = batchFrom<unknown>(back)
        equal(batch.isByField === true, isByField)
        const expected = Array.from({ length }, (_, i) => (isTracked ? { ...events.origin(i) } : undefined))
        const origins = Array.from({ length }, (_, i) => {
          const origin = batch.origin(i)
          return origin && { ...origin }
        })
        deepEqual(origins, expected)
        deepEqual(batch.slice(1).values(), batch.values().slice(1))
        if (!isTracked) deepEqual(batch.values(), events.values())
      }
    }
    await reader.close()
  })
})

import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import {
  accessLog,
  count,
  csvSource,
  type Flow,
  fanOut,
  fileSource,
  flow,
  json,
  jsonArraySource,
  ndjsonSource,
  param,
  pipeline,
  processingTime,
  type Source,
  sqliteSink,
  sum,
  tailSource,
  textLines,
  tumbling,
  valuesSource,
  webhookSource,
} from 'sluice'
import { kafkaSource } from 'sluice/kafka'
import { postgresSink } from 'sluice/postgres'
import { type TestPipelineOptions, testPipeline } from 'sluice/testing'

interface Order {
  readonly id: number
  readonly country: string
  readonly amount: number
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-own-tests-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const AWAY = 'postgres://nobody:none@127.0.0.1:1/none'
const ORDERS: readonly Order[] = [
  { id: 1, country: 'DE', amount: 5 },
  { id: 2, country: 'FR', amount: 1 },
  { id: 1, country: 'DE', amount: 7 },
]

/** A job as it may be in production: no part of it can be reached here. */
function orders(make: (orders: Flow<Order>) => Flow<unknown, unknown> = (all) => all, key = ['id']) {
  return pipeline('orders', {
    from: ndjsonSource<Order>('/nowhere/*.ndjson'),
    flow: make,
    into: postgresSink(AWAY, { table: 'orders', key }),
  })
}

describe('a test of a pipeline', () => {
  it('U1: runs it without its source and its sink', async () => {
    const { rows, deadLetters, totals } = await testPipeline(
      orders((all) => all.where('amount', '>', 1)),
      {
        given: ORDERS,
      },
    )
    deepEqual(rows, [{ id: 1, country: 'DE', amount: 7 }])
    deepEqual(deadLetters, [])
    deepEqual([totals.read, totals.loaded, totals.filtered], [3, 2, 1])
  })

  it('U1: takes its parameters', async () => {
    const job = pipeline('least', {
      params: { least: param.number(0), url: param.string('not a URL') },
      from: valuesSource<Order>([]),
      flow: (all, { least }) => all.filter(({ amount }) => amount >= least),
      into: ({ url }) => postgresSink(url, { table: 'orders', key: ['id'] }),
    })
    const { rows } = await testPipeline<Order>(job, { given: ORDERS, params: { least: 6, url: AWAY } })
    deepEqual(
      rows.map(({ amount }) => amount),
      [7],
    )
    await rejects(testPipeline(job, { given: [], params: { lest: 6 } }), /has no parameter lest: it has least, url/)
  })

  const lines = '{"id":1,"country":"DE","amount":5}\n\n{"id":2,\n{"id":3,"country":"FR","amount":1}\n'
  it('U2: reads text as the source reads its files', async () => {
    const { rows, deadLetters, totals } = await testPipeline(orders(), { given: { text: lines } })
    deepEqual(rows, [
      { id: 1, country: 'DE', amount: 5 },
      { id: 3, country: 'FR', amount: 1 },
    ])
    deepEqual(
      deadLetters.map(({ origin: { source, line, raw }, step }) => ({ source, line, raw, step })),
      [{ source: 'given-1', line: 3, raw: '{"id":2,', step: 'json' }],
    )
    deepEqual([totals.read, totals.blank, totals.dead], [4, 1, 1])
  })

  it('U2: reads text in every format of files', async () => {
    const rowsOf = async (from: Source<never>, text: string): Promise<readonly unknown[]> => {
      const job = pipeline('formats', { from, into: sqliteSink('/nowhere/x.db', { table: 't' }) })
      return (await testPipeline(job, { given: { text } })).rows
    }
    const csv = csvSource('x.csv', { delimiter: ';', columns: { id: 'integer', name: 'text' } })
    deepEqual(await rowsOf(csv as Source<never>, 'id;name\n1;ann\n'), [{ id: 1, name: 'ann' }])
    const items = jsonArraySource('x.json', { path: 'items' })
    deepEqual(await rowsOf(items as Source<never>, '{"items":[{"a":1},{"a":2}]}'), [{ a: 1 }, { a: 2 }])
    const texts = fileSource('x.txt', textLines())
    deepEqual(await rowsOf(texts as Source<never>, 'a\nb'), ['a', 'b'])
    const followed = tailSource('/var/log/x.log', textLines())
    deepEqual(await rowsOf(followed as Source<never>, 'a\nb\n'), ['a', 'b'])
    const log = fileSource('access.log', accessLog())
    const line = '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326\n'
    const [request] = await rowsOf(log as Source<never>, line)
    equal((request as { status: number }).status, 200)
  })

  it('U2: reads files as the source reads its files', async () => {
    const path = join(folder, 'orders.ndjson')
    writeFileSync(path, lines)
    const { rows, totals } = await testPipeline(orders(), { given: { files: path } })
    deepEqual([rows.length, totals.dead], [2, 1])
  })

  it('U2: takes each text as a message where the source gets messages', async () => {
    const hook = pipeline('hook', {
      from: webhookSource({ port: 0 }, json<{ n: number }>()),
      into: sqliteSink('/nowhere/x.db', { table: 't' }),
    })
    const { rows, deadLetters } = await testPipeline(hook, { given: { text: ['{\n"n": 1 }', 'no', '{"n":2}'] } })
    deepEqual(rows, [{ n: 1 }, { n: 2 }])
    deepEqual(
      deadLetters.map(({ origin: { offset, raw } }) => [offset, raw]),
      [[1, 'no']],
    )
  })

  it('U2: says what a source takes that makes events of more than the text', async () => {
    const from = kafkaSource('kafka://127.0.0.1:1', json(), { topic: 't', event: (body, { key }) => ({ body, key }) })
    const job = pipeline('topic', { from, into: sqliteSink('/nowhere/x.db', { table: 't' }) })
    await rejects(
      testPipeline(job, { given: { text: '1' } }),
      /: Cannot read text or files as topic t of .* reads: give its events/,
    )
    deepEqual((await testPipeline(job, { given: [{ body: 1, key: 'a' }] })).rows, [{ body: 1, key: 'a' }])
  })

  it('U2: reads further sources of the flow in their order, from what is given', async () => {
    const names = flow(csvSource('/nowhere/names.csv', { columns: { id: 'integer', name: 'text' } }))
    const job = orders((all) =>
      all
        .join(names, { left: ({ id }) => id, right: ({ id }) => id ?? 0 })
        .map(([{ id, amount }, { name }]) => ({ id, amount, name })),
    )
    const given = ORDERS.slice(0, 2)
    const { rows } = await testPipeline(job, { given, joined: [{ text: 'id,name\n1,ann\n2,ben\n' }] })
    deepEqual(
      [...rows].sort((a, b) => Number(a.id) - Number(b.id)),
      [
        { id: 1, amount: 5, name: 'ann' },
        { id: 2, amount: 1, name: 'ben' },
      ],
    )
    const same = await testPipeline(job, { given, joined: [[{ id: 2, name: 'cid' }]] })
    deepEqual(same.rows, [{ id: 2, amount: 1, name: 'cid' }])
  })

  it('U3: replaces rows by the key of the sink, or of the flow, and rejects a row without it', async () => {
    const flowKey = pipeline('by-country', {
      from: valuesSource<Order>([]),
      flow: (all) => all.keyBy('country').aggregate({ amount: sum('amount') }),
      into: postgresSink(AWAY, { table: 'totals' }),
    })
    const { rows } = await testPipeline(flowKey, { given: ORDERS.slice(0, 2), again: ORDERS.slice(2) })
    deepEqual(rows, [
      { country: 'DE', amount: 12 },
      { country: 'FR', amount: 1 },
    ])
    const { deadLetters } = await testPipeline(orders(), { given: [{ id: null }] })
    deepEqual(
      deadLetters.map(({ step, reason }) => [step, reason]),
      [['postgres', 'its key id is not complete']],
    )
  })

  it('U3: has the rows of branches', async () => {
    const job = pipeline('branches', {
      from: valuesSource<Order>([]),
      into: fanOut(postgresSink<Order>(AWAY, { table: 'orders', key: ['id'] }), {
        spool: '/nowhere/spool',
        branches: {
          large: {
            into: sqliteSink('/nowhere/large.db', { table: 'large' }),
            where: ({ amount }) => amount >= 5,
            map: ({ id }) => ({ id }),
          },
        },
      }),
    })
    const { rows, branches } = await testPipeline(job, { given: ORDERS, kills: [2] })
    equal(rows.length, 2)
    deepEqual(branches, { large: { rows: [{ id: 1 }, { id: 1 }], deadLetters: [] } })
  })

  it('U4: lets time pass only where something waits for it', async () => {
    const startedMs = performance.now()
    const job = orders((all) =>
      all
        .mapAsync(async (order) => order, { ratePerSecond: 1 })
        .batch({ size: 2, waitMs: 3_600_000 })
        .map((some) => ({ id: some.length })),
    )
    const { rows } = await testPipeline(job, { given: ORDERS })
    deepEqual(rows, [{ id: 2 }, { id: 1 }])
    equal(performance.now() - startedMs < 60_000, true)
  })

  it('U5: gives each event at its time', async () => {
    const perMinute = (all: Flow<{ at: string }>) =>
      all
        .window(processingTime('1m'))
        .aggregate({ n: count() })
        .map(({ window, n }) => ({ at: new Date(window.startMs).toISOString().slice(11, 16), n }))
    const job = pipeline('minutes', {
      from: webhookSource({ port: 0 }, json<{ at: string }>()),
      flow: perMinute,
      into: postgresSink(AWAY, { table: 'minutes', key: ['at'] }),
    })
    const given = ['10:00:05', '10:00:59', '10:01:01', '10:07:00'].map((time) => ({ at: `2026-01-01T${time}Z` }))
    const { rows } = await testPipeline(job, { given, at: ({ at }: { at: string }) => at })
    deepEqual(rows, [
      { at: '10:00', n: 2 },
      { at: '10:01', n: 1 },
      { at: '10:07', n: 1 },
    ])
  })

  const windows = orders((all) =>
    all
      .window(tumbling(2, ({ id }) => id))
      .aggregate({ n: count() })
      .map(({ window, n }) => ({ id: window.startMs, n })),
  )
  const many = Array.from({ length: 10 }, (_, id) => ({ id, country: 'DE', amount: id }))

  it('U6: loads the same, wherever it is killed', async () => {
    const whole = await testPipeline(windows, { given: many })
    deepEqual(whole.rows.length, 5)
    for (let at = 1; at <= 10; at += 1) {
      for (const options of [{ kills: [at] }, { kills: [at, 1, 1] }, { kills: [at], epochEvents: 4 }]) {
        if (at === 10 && options.kills.length > 1) continue
        const { rows, totals } = await testPipeline(windows, { given: many, ...options })
        deepEqual([rows, totals.read], [whole.rows, 10], `killed after ${options.kills}`)
      }
    }
  })

  it('U6: rejects a kill that never comes', async () => {
    await rejects(
      testPipeline(windows, { given: many, kills: [11] }),
      /Cannot kill orders after 11 records: it ended after 10/,
    )
  })

  it('U7: reads what is new after a restart, and nothing twice', async () => {
    for (const given of [ORDERS, { text: lines }, { files: join(folder, 'orders.ndjson') }] as const) {
      const once = await testPipeline(orders(), { given })
      const again = 'text' in given ? { text: '' } : 'files' in given ? { files: [] } : []
      deepEqual(await testPipeline(orders(), { given, again }), once)
    }
    const { rows, totals } = await testPipeline(orders(), {
      given: { text: lines },
      again: { text: '{"id":4,"country":"DE","amount":5}\n' },
    })
    deepEqual([rows.length, totals.read], [3, 5])
  })

  it('U8: refuses what a run would refuse', async () => {
    const keyless = pipeline('keyless', {
      from: ndjsonSource<Order>('x.ndjson'),
      flow: (all) => all.aggregate({ n: count() }),
      into: postgresSink(AWAY, { table: 't' }),
    })
    await rejects(testPipeline(keyless, { given: [] }), /has no key by which they would replace the earlier ones/)
    const taken = orders((all) => all.take(2))
    await rejects(testPipeline(taken, { given: [] }), /A pipeline ends when its source does: found take/)
  })

  it('says what it takes', async () => {
    const call = async (options: object, job: unknown = orders()): Promise<string> => {
      try {
        await testPipeline(job as never, options as TestPipelineOptions)
        return 'nothing'
      } catch (error) {
        return `${error}`
      }
    }
    match(
      await call({ given: 'a' }),
      /TypeError: What is given must be an array of events, { text } or { files }: found "a"/,
    )
    match(await call({ given: [], at: 'noon' }), /RangeError: at must be a date.*found "noon"/)
    match(
      await call({ given: { text: '' }, at: () => 0 }),
      /TypeError: at is a function of events: give them as an array/,
    )
    match(
      await call({ given: [], again: { text: '' } }),
      /TypeError: What is given again must be an array as before: found { text }/,
    )
    match(await call({ given: [] }, flow([1])), /TypeError: testPipeline runs a pipeline/)
  })
})

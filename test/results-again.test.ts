// Results that come again: which operators give them, where that is refused, and what is said where it is not.

import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import {
  count,
  type Flow,
  fanOut,
  fileSource,
  flow,
  ndjsonSink,
  ndjsonSource,
  type Pipeline,
  pipeline,
  type RunReport,
  type Sink,
  type Source,
  sqliteSink,
  startPipeline,
  sum,
  tailSource,
  textLines,
  tumbling,
} from 'sluice'
import { duckdbSink } from 'sluice/duckdb'
import { postgresSink } from 'sluice/postgres'
import { webSocketSource } from 'sluice/websocket'
import { promisedBy, promiseText } from '../src/pipeline/guarantee.ts'
import { rowsIn } from '../src/testing/rows-in.ts'
import { Job } from './support/job.ts'

interface Reading {
  readonly id: number
  readonly at: number
  readonly sensor: string
}

let root = ''
before(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-results-'))
})
after(() => rmSync(root, { recursive: true, force: true }))

type Make = (readings: Flow<Reading>, further: string) => Flow<unknown, unknown>

const second = tumbling<Reading>('1s', ({ at }) => at, { outOfOrderness: '1h' })
const byId = { left: ({ id }: Reading) => id, right: ({ id }: Reading) => id }
const further = (path: string): Flow<Reading> => flow(ndjsonSource<Reading>(path))

const AGAIN: Readonly<Record<string, Make>> = {
  'aggregate by key': (all) => all.keyBy(({ sensor }) => sensor).aggregate({ n: count() }),
  'aggregate of windows': (all) =>
    all
      .keyBy(({ sensor }) => sensor)
      .window(second)
      .aggregate({ n: count() }),
  reduce: (all) =>
    all.reduce(
      () => [0],
      ([n = 0], { id }) => [n + id],
    ),
  'reduce of windows': (all) =>
    all.window(second).reduce(
      () => [0],
      ([n = 0], { id }) => [n + id],
    ),
  'reduce, its state': (all) =>
    all
      .reduce(
        () => ({ n: 0 }),
        ({ n }, { id }) => ({ n: n + id }),
      )
      .emit('state'),
  'reduce, on trigger': (all) =>
    all
      .reduce(
        () => ({ n: 0 }),
        ({ n }, { id }) => ({ n: n + id }),
      )
      .onTrigger(({ state }) => ({ events: [state] })),
  takeSort: (all) => all.takeSort(2, (a, b) => b.id - a.id),
  departition: (all) =>
    all
      .partition({ stages: 2, key: ({ id }) => id })
      .reduce(
        () => ({ n: 0 }),
        ({ n }, { id }) => ({ n: n + id }),
      )
      .departition(
        () => 0,
        (merged, { n }) => merged + n,
      ),
  'join, left': (all, path) => all.join(further(path), { ...byId, mode: 'left' }),
  'join, right': (all, path) => all.join(further(path), { ...byId, mode: 'right' }),
  'join, full': (all, path) => all.join(further(path), { ...byId, mode: 'full' }),
}

const ONCE: Readonly<Record<string, Make>> = {
  map: (all) => all.map(({ id }) => id),
  uniq: (all) => all.uniq(({ sensor }) => sensor),
  'uniq in windows': (all) => all.window(second).uniq(({ sensor }) => sensor),
  'join, inner': (all, path) => all.join(further(path), byId),
  mapAsync: (all) => all.mapAsync(async ({ id }) => id, { concurrency: 2 }),
  emitAndReduce: (all) =>
    all.emitAndReduce(
      () => 0,
      (n, { id }) => [[n + id], n + id],
    ),
  merge: (all, path) => all.merge(further(path)),
}

let made = 0

/** A pipeline of its own place, which reads more with every round. */
function placed(make: Make, into: (folder: string) => Sink<{ text: string }>, results?: 'append') {
  made += 1
  const folder = mkdtempSync(join(root, `${made}-`))
  const [input, other] = [join(folder, 'in.ndjson'), join(folder, 'other.ndjson')]
  writeFileSync(input, '')
  writeFileSync(other, '')
  const job = pipeline('again', {
    from: () => ndjsonSource<Reading>(input),
    flow: (all) => make(all, other).map((one) => ({ text: JSON.stringify(one) })),
    into: () => into(folder),
    ...(results === undefined ? {} : { results }),
  })
  const grow = (from: number, to: number): void => {
    for (let id = from; id < to; id += 1) {
      appendFileSync(input, `${JSON.stringify({ id, at: id * 100, sensor: `s${id % 3}` })}\n`)
      appendFileSync(other, `${JSON.stringify({ id: id + 2, at: id * 100, sensor: `s${id % 3}` })}\n`)
    }
  }
  return { job, folder, grow }
}

const unkeyed = (folder: string): Sink<{ text: string }> =>
  sqliteSink(join(folder, 'out.db'), { table: 't', columns: { text: 'text' } })

async function load(job: Pipeline): Promise<RunReport> {
  return await (await startPipeline(job)).done
}

const textsIn = (folder: string) =>
  rowsIn(join(folder, 'out.db'), 'select text from t order by text').map(({ text }) => String(text))

/** What is in the table after two runs, and after one of all. */
async function twoRunsAndOne(make: Make): Promise<{ readonly two: string[]; readonly one: string[] }> {
  const [twice, once] = [placed(make, unkeyed, 'append'), placed(make, unkeyed, 'append')]
  twice.grow(0, 5)
  await load(twice.job)
  twice.grow(5, 9)
  await load(twice.job)
  once.grow(0, 9)
  await load(once.job)
  return { two: textsIn(twice.folder), one: textsIn(once.folder) }
}

describe('results of the whole', () => {
  for (const [name, make] of Object.entries(AGAIN)) {
    it(`C93: are refused in a table without a key, and come again where they may (${name})`, async () => {
      const { job } = placed(make, unkeyed)
      await rejects(startPipeline(job), { code: 'CONFIG_INVALID', message: /no key.*results: 'append'/ })
      const { two, one } = await twoRunsAndOne(make)
      equal(two.length > one.length, true)
    })
  }

  for (const [name, make] of Object.entries(ONCE)) {
    it(`C93: are not what an operator gives that gives as events come (${name})`, async () => {
      const { two, one } = await twoRunsAndOne(make)
      deepEqual(two.length, one.length)
      const { job, grow } = placed(make, unkeyed)
      grow(0, 3)
      deepEqual((await load(job)).promised, { guarantee: 'exactly-once', resultsAgain: [] })
    })
  }

  it('C93: open batches are given once', async () => {
    const { two } = await twoRunsAndOne((all) => all.batch({ size: 4 }))
    equal(two.flatMap((text) => JSON.parse(text)).length, 9)
  })

  it('C93: overwrite those before under a key', async () => {
    const totals: Make = (all) => all.keyBy(({ sensor }) => sensor).aggregate({ n: count(), last: sum(({ id }) => id) })
    const keyed = (folder: string): Sink<unknown> =>
      sqliteSink(join(folder, 'out.db'), {
        table: 't',
        key: ['key'],
        columns: { key: 'text', n: 'integer' },
      }) as Sink<unknown>
    made += 1
    const folder = mkdtempSync(join(root, `${made}-`))
    const input = join(folder, 'in.ndjson')
    const job = pipeline('totals', {
      from: () => ndjsonSource<Reading>(input),
      flow: (all) => totals(all, ''),
      into: () => keyed(folder),
    })
    for (let id = 0; id < 4; id += 1) {
      appendFileSync(input, `${JSON.stringify({ id, at: id, sensor: `s${id % 2}` })}\n`)
      deepEqual((await load(job)).promised, { guarantee: 'exactly-once', resultsAgain: [] })
    }
    const db = new DatabaseSync(join(folder, 'out.db'), { readOnly: true })
    equal(db.prepare('select sum(n) as n from t').get()?.n, 4)
    db.close()
  })
})

const LINES: Source<string> = fileSource('in.log', textLines())
const TOTALS = (all: Flow<string>): Flow<unknown, unknown> =>
  all.keyBy((text) => text).aggregate({ n: count() }, { name: 'totals' })

/** The pipeline of a source and a sink, with totals. */
const totalsOf = (source: Source<string>, sink: Sink<never>): Pipeline =>
  pipeline('p', { from: () => source, flow: TOTALS, into: () => sink as Sink<unknown> }) as Pipeline

const SQL: Readonly<Record<string, (key?: readonly string[]) => Sink<never>>> = {
  sqlite: (key) => sqliteSink('out.db', { table: 't', ...(key === undefined ? {} : { key }) }),
  duckdb: (key) => duckdbSink('out.duckdb', { table: 't', ...(key === undefined ? {} : { key }) }),
  postgres: (key) => postgresSink('postgres://db.example/x', { table: 't', ...(key === undefined ? {} : { key }) }),
}

describe('a pipeline with totals', () => {
  for (const [name, sinkOf] of Object.entries(SQL)) {
    it(`C93: is refused before its sink is opened, with the operator, the sink and two ways out (${name})`, async () => {
      const sink = sinkOf()
      await rejects(startPipeline(totalsOf(LINES, sink)), {
        code: 'CONFIG_INVALID',
        message: `Cannot run pipeline p: aggregate totals emits its results as a whole again when a later run finds more, and ${sink.title} has no key by which they would replace the earlier ones: give the sink a key, or set results: 'append' in the pipeline to add them`,
      })
    })
  }

  it('C93: is refused for a branch without a key, too', async () => {
    const sink = fanOut(sqliteSink('out.db', { table: 't', key: ['key'] }) as Sink<never>, {
      spool: 'spool',
      branches: { copy: { into: sqliteSink('copy.db', { table: 'c' }) as Sink<never> } },
    })
    await rejects(startPipeline(totalsOf(LINES, sink)), /table c in copy\.db \(branch copy\) has no key/)
  })

  it('C93: of a source that never ends, is not refused', () => {
    const parts = totalsOf(tailSource('in.log', textLines()), SQL.sqlite?.() as Sink<never>).build({})
    deepEqual(promisedBy(parts).resultsAgain, [])
  })

  it('refuses other words for results', () => {
    const spec = { from: () => LINES, into: () => SQL.sqlite?.() as never, results: 'again' as 'append' }
    throws(() => pipeline('p', spec), /^RangeError: results of pipeline p must be one of append: found "again"/)
  })
})

describe('what a pipeline promises', () => {
  const text = (job: Pipeline): string => promiseText(promisedBy(job.build({})))
  const plain = (source: Source<unknown>, sink: Sink<never>): Pipeline =>
    pipeline('p', { from: () => source, into: () => sink as Sink<unknown> }) as Pipeline

  it('C94: is that of its sink where its source gives each record once', () => {
    equal(text(plain(LINES, SQL.sqlite?.() as Sink<never>)), 'exactly-once')
  })

  it('C94: is less where the source cannot give a record again', () => {
    const socket = webSocketSource('ws://example.com', textLines())
    equal(text(plain(socket, SQL.sqlite?.() as Sink<never>)), 'at-most-once')
    equal(text(plain(fileSource('-', textLines()), SQL.duckdb?.() as Sink<never>)), 'at-most-once')
    equal(text(plain(fileSource(['a.log', '-'], textLines()), SQL.duckdb?.() as Sink<never>)), 'at-most-once')
  })

  it('C94: says what has to hold for it', () => {
    const tailed = tailSource('in.log', textLines())
    equal(text(plain(tailed, SQL.sqlite?.() as Sink<never>)), 'exactly-once, except what is cut off before it is read')
  })

  it('C94: is at least once where results come again', () => {
    const parts = ndjsonSink<never>('parts')
    equal(
      text(totalsOf(LINES, parts)),
      'at-least-once; results of aggregate totals are emitted again, as a whole, when a later run finds more',
    )
  })
})

describe('the command line', () => {
  const job = new Job(
    'count, fileSource, ndjsonSink, pipeline, sqliteSink, textLines',
    `const { INTO, RESULTS } = process.env
const sinks = { table: () => sqliteSink('out.db', { table: 't' }), files: () => ndjsonSink('parts') }
export default pipeline('p', {
  from: () => fileSource('in.log', textLines()),
  flow: (lines) => lines.keyBy((text) => text).aggregate({ n: count() }, { name: 'totals' }),
  into: () => sinks[INTO](),
  ...(RESULTS ? { results: RESULTS } : {}),
})`,
  )
  after(() => job[Symbol.dispose]())
  job.write('in.log', 'a\nb\na\n')
  const REFUSED =
    /Cannot run pipeline p: aggregate totals emits its results .* give the sink a key, or set results: 'append' /
  const AGAIN_TEXT = /results of aggregate totals are emitted again, as a whole, when a later run finds more/

  it('C93: refuses to run and to check, and explains why', async () => {
    const env = { INTO: 'table' }
    const [run, check, explain, graph] = [
      await job.call('run', [], { env }),
      await job.call('check', [], { env }),
      await job.call('explain', [], { env }),
      await job.call('graph', [], { env }),
    ]
    deepEqual([run.code, check.code, explain.code, graph.code], [78, 78, 0, 0])
    for (const told of [run.stderr, check.stderr, explain.stdout]) match(told, REFUSED)
    for (const told of [explain.stdout, graph.stdout]) equal(told.includes('exactly-once'), false)
  })

  it('C94: says of sinks without keys, and where results are added, that they come again', async () => {
    for (const env of [{ INTO: 'files' }, { INTO: 'table', RESULTS: 'append' }]) {
      for (const command of ['explain', 'check', 'run', 'graph']) {
        const { code, stdout } = await job.call(command, [], { env })
        deepEqual([code, stdout.includes('exactly-once')], [0, false])
        match(stdout, AGAIN_TEXT)
      }
      const { stdout } = await job.call('run', ['--json'], { env })
      deepEqual(JSON.parse(stdout).promised, { guarantee: 'at-least-once', resultsAgain: ['aggregate totals'] })
    }
  })
})

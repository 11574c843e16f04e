import { deepEqual, equal, ok } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Browser } from 'playwright-core'
import {
  count,
  csvSource,
  type Flow,
  flow,
  lineLogger,
  ndjsonSource,
  type Pipeline,
  pipeline,
  type RunEvent,
  sqliteSink,
  startPipeline,
  tumbling,
} from 'sluice'
import { Served } from '../src/cli/served.ts'
import { summaryText } from '../src/cli/show/summary.ts'
import { topView } from '../src/cli/show/top-view.ts'
import type { Totals } from '../src/connect/sink.ts'
import { startDashboard } from '../src/dashboard/dashboard.ts'
import { watchedRun } from '../src/dashboard/watched.ts'
import { jsonLine } from '../src/observe/json.ts'
import type { RunSnapshot } from '../src/pipeline/snapshot.ts'
import { prometheusText } from '../src/telemetry/prometheus.ts'
import { times } from '../src/testing/times.ts'
import { noChromium, openBrowser } from './support/chromium.ts'
import { until } from './support/until.ts'

interface Row {
  readonly id: number
  readonly at: number
}
type Shape = (rows: Flow<Row>, other: () => Flow<Row>) => Flow<unknown, unknown>

const SHAPES: Readonly<Record<string, Shape>> = {
  'one for one': (rows) => rows.map(({ id }) => ({ id })),
  'some dropped, some split': (rows) =>
    rows
      .filter(({ id }) => id % 3 > 0)
      .flatMap(({ id }) => Array.from({ length: id % 4 }, (_, n) => ({ id: id * 10 + n }))),
  'some dead': (rows) =>
    rows.map(({ id }) => {
      if (id % 5 === 0) throw new Error('five')
      return { id }
    }),
  windows: (rows) =>
    rows
      .keyBy(({ id }) => id % 3)
      .window(tumbling('10ms', ({ at }) => at))
      .aggregate({ n: count() })
      .map(({ key, n }) => ({ key, n })),
  totals: (rows) => rows.keyBy(({ id }) => id % 3).aggregate({ n: count() }),
  batches: (rows) => rows.batch({ size: 4 }).map((batch) => ({ n: batch.length })),
  'first of each': (rows) => rows.uniq(({ id }) => id % 7).map(({ id }) => ({ id })),
  pairs: (rows, other) =>
    rows
      .join(other(), { mode: 'left', left: ({ id }) => id % 4, right: ({ id }) => id % 4 })
      .map(([left, right]) => ({ left: left.id, right: right?.id ?? null })),
}
const NAMES = ['read', 'derived', 'loaded', 'dead', 'filtered', 'blank', 'absorbed'] as const
type Figures = Partial<Record<(typeof NAMES)[number], number>>

const lineOf = fc.oneof(
  { weight: 8, arbitrary: fc.record({ id: fc.nat(40), at: fc.nat(100) }).map((row) => JSON.stringify(row)) },
  fc.constantFrom('', '{"id":', '{]'),
)
const linesOf = fc.array(lineOf, { maxLength: 60 })

describe('the figures of a run', () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-figures-'))
  after(() => rmSync(root, { recursive: true, force: true }))
  let made = 0

  function jobOf(shape: string, folder: string): Pipeline {
    const other = (): Flow<Row> => flow(ndjsonSource<Row>(join(folder, 'other.ndjson')))
    return pipeline('figures', {
      from: ndjsonSource<Row>(join(folder, 'in.ndjson')),
      flow: (rows) => (SHAPES[shape] as Shape)(rows, other),
      into: sqliteSink(join(folder, 'out.db'), { table: 't' }),
      results: 'append',
    })
  }

  /** Adds lines to a pipeline's files, loads them, and gives all that is reported of it. */
  async function told(job: Pipeline, folder: string, lines: readonly string[], epochEvents: number) {
    for (const name of ['in.ndjson', 'other.ndjson']) {
      appendFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''))
    }
    const written: string[] = []
    const log = lineLogger({
      format: 'json',
      level: 'info',
      write: (line) => void written.push(line),
      wallMs: Date.now,
    })
    const run = await startPipeline(job, { epochEvents, log })
    const report = await run.done
    const ended = JSON.parse(written.at(-1) ?? '{}') as Totals & { readonly msg: string }
    return { run, report, snapshot: run.snapshot(), ended }
  }

  it('C6: are told alike by terminal, JSON, log, top, page and metrics, and add up', async () => {
    const dashboard = await startDashboard()
    const cases = fc.record({
      shape: fc.constantFrom(...Object.keys(SHAPES)),
      first: linesOf,
      more: linesOf,
      epochEvents: fc.integer({ min: 1, max: 40 }),
    })
    try {
      await fc.assert(
        fc.asyncProperty(cases, async ({ shape, first, more, epochEvents }) => {
          made += 1
          const folder = mkdtempSync(join(root, `${made}-`))
          const job = jobOf(shape, folder)
          let before: Totals | undefined
          for (const lines of [first, more]) {
            const { run, report, snapshot, ended } = await told(job, folder, lines, epochEvents)
            const figures = figuresOf(report.run)
            equal(sum(figures, ['read', 'derived']), sum(figures, ['loaded', 'dead', 'filtered', 'blank', 'absorbed']))
            ok(NAMES.every((name) => (figures[name] ?? 0) >= 0))
            // All runs are the runs before and this one.
            for (const name of NAMES) equal(report.overall[name], (before?.[name] ?? 0) + report.run[name])
            before = report.overall
            ok(report.splits.unchanged <= report.splits.all)
            ok(Number.isInteger(report.elapsedMs))
            deepEqual(figuresOf(JSON.parse(jsonLine(report)).run), figures)
            deepEqual(figuresOf(snapshot.run), figures)
            deepEqual([snapshot.read, snapshot.dead, snapshot.epoch], [figures.read, figures.dead, report.epoch])
            deepEqual(figuresOf(ended), figures)
            deepEqual(withZeros(equationIn(ended.msg)), figures)
            const text = summaryText(report)
            if (!text.includes('nothing new')) deepEqual(withZeros(columnIn(text)), figures)
            if (text.includes('in all runs')) deepEqual(withZeros(equationIn(text)), figuresOf(report.overall))
            deepEqual(metricsIn(prometheusText([snapshot])), figures)
            const top = topView([snapshot], { columns: 200, hasColour: false }).join('\n')
            for (const name of ['read', 'loaded', 'dead'] as const) equal(numberAfter(top, name), figures[name])
            const watched = watchedRun(run, job)
            dashboard.watch(watched)
            const fed = await fedBy(dashboard.url)
            deepEqual(figuresOf(fed.run), figures)
            deepEqual(figuresOf(fed.overall), figuresOf(report.overall))
          }
        }),
        { numRuns: times(25) },
      )
    } finally {
      await dashboard.close()
    }
  })

  it('C6: a first run goes on nowhere, though a header was read', async () => {
    const folder = mkdtempSync(join(root, 'header-'))
    const path = join(folder, 'in.csv')
    appendFileSync(path, 'id,n\n1,2\n')
    const resumed: number[] = []
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'split-opened') resumed.push(event.resumedBytes)
    }
    const job = pipeline('header', { from: csvSource(path), into: sqliteSink(join(folder, 'out.db'), { table: 't' }) })
    await (await startPipeline(job, { onEvent })).done
    appendFileSync(path, '3,4\n')
    await (await startPipeline(job, { onEvent })).done
    deepEqual(resumed, [0, 9])
  })

  it('C6: a pipeline that is served says how often it was started again, also where no run came of it', async () => {
    const folder = mkdtempSync(join(root, 'served-'))
    const abort = new AbortController()
    const served = new Served({
      pipeline: pipeline('gone', {
        from: ndjsonSource(join(folder, 'gone.ndjson')),
        into: sqliteSink(join(folder, 'out.db'), { table: 't' }),
      }),
      params: new Map(),
      log: lineLogger({ format: 'json', level: 'error', write: () => {}, wallMs: Date.now }),
      signal: abort.signal,
      backoff: { firstMs: 1, capMs: 5 },
    })
    const serving = served.serve()
    await until(() => served.snapshot().restarts >= 3, 'the third restart')
    abort.abort()
    await serving
  })

  describe('on the page', { skip: noChromium }, () => {
    let browser: Browser
    before(async () => {
      browser = await openBrowser()
    })
    after(async () => await browser?.close())

    it('C6: are those of the run', async () => {
      const folder = mkdtempSync(join(root, 'page-'))
      const job = jobOf('some dead', folder)
      const lines = Array.from({ length: 50 }, (_, id) => JSON.stringify({ id, at: id }))
      const { run, report } = await told(job, folder, [...lines, 'broken'], 20)
      const dashboard = await startDashboard()
      after(() => dashboard.close())
      dashboard.watch(watchedRun(run, job))
      const page = await browser.newPage()
      await page.goto(dashboard.url)
      const shown = async (name: string): Promise<number> => {
        const text = await page.locator('.figure', { hasText: name }).locator('.value').textContent()
        return Number(text?.replaceAll(',', ''))
      }
      await until(async () => (await shown('Loaded')) === report.run.loaded, 'the number of rows')
      equal(await shown('Dead letters'), report.run.dead)
      equal(await shown('Not committed'), 0)
      const cards = await page.locator('.card .dead, .card span[title="Dead letters of its steps"] b').allTextContents()
      equal(
        cards.reduce((all, text) => all + Number(text.replaceAll(',', '')), 0),
        report.run.dead,
      )
    })
  })
})

function figuresOf(totals: Totals): Figures {
  return Object.fromEntries(NAMES.map((name) => [name, totals[name]]))
}

function withZeros(figures: Figures): Figures {
  return { ...Object.fromEntries(NAMES.map((name) => [name, 0])), ...figures }
}

function sum(figures: Figures, names: readonly (keyof Figures)[]): number {
  return names.reduce((all, name) => all + (figures[name] ?? 0), 0)
}

const numberOf = (text: string): number => Number(text.replaceAll(',', ''))

/** The figures of the last equation in a text. */
function equationIn(text: string): Figures {
  const line = text.split('\n').findLast((line) => line.includes(' = ')) ?? ''
  return Object.fromEntries(
    [...line.matchAll(/([\d,]+) ([a-z]+)/g)]
      .map(([, n = '', name]) => [name, numberOf(n)])
      .filter(([name]) => NAMES.includes(name as never)),
  )
}

/** The figures of lines such as `loaded  1,200  …`. */
function columnIn(text: string): Figures {
  const found = [...text.matchAll(/^ {2}([a-zA-Z]+) +([\d,]+)(?: |$)/gm)].map(([, name, n = '']) => [name, numberOf(n)])
  return Object.fromEntries(found.filter(([name]) => NAMES.includes(name as never)))
}

function metricsIn(text: string): Figures {
  return Object.fromEntries(
    NAMES.map((name) => [
      name,
      Number(new RegExp(`^sluice_records_${name}_total\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1]),
    ]),
  )
}

function numberAfter(text: string, name: string): number {
  return numberOf(new RegExp(`\\b${name} ([\\d,]+)`).exec(text)?.[1] ?? '')
}

/** What the page is fed. */
async function fedBy(url: string): Promise<RunSnapshot> {
  const response = await fetch(new URL('api/snapshot', url))
  const { runs } = (await response.json()) as { readonly runs: readonly RunSnapshot[] }
  return runs.at(-1) as RunSnapshot
}

import { deepEqual, equal, match } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startPipeline } from 'sluice'
import { Job } from './support/job.ts'
import { until } from './support/until.ts'

/** Inline, on one worker thread, and on two. */
const THREADS: readonly (number | undefined)[] = [undefined, 1, 2]
const where = (threads: number | undefined): string =>
  threads === undefined ? 'in one thread' : `on ${threads} threads`

describe('operators of a pipeline, wherever they stand', () => {
  for (const threads of THREADS) {
    it(`L80: a schema that waits loads after a shuffle and a uniq, ${where(threads)}`, async () => {
      using job = new Job(
        'ndjsonSource, pipeline, sqliteSink',
        `const here = (name) => new URL(name, import.meta.url).pathname
        const later = (ok) => ({ '~standard': { version: 1, vendor: 'test', validate: async (value) => {
          await new Promise(setImmediate)
          return ok(value) ? { value: { ...value, seen: 1 } } : { issues: [{ message: 'not wanted' }] }
        } } })
        export default pipeline('waits', {
          from: () => ndjsonSource(here('in.ndjson')),
          flow: (rows) => rows.validate(later(({ n }) => n !== 4)).shuffle().uniq(({ n }) => n)
            .validate(later(({ n }) => n !== 5), { name: 'late check' }).map((row) => row),
          into: () => sqliteSink(here('out.db'), { table: 't', columns: { n: 'integer', seen: 'integer' }, key: ['n'] }),
        })`,
      )
      job.write('in.ndjson', [1, 2, 2, 3, 4, 5].map((n) => `{"n":${n}}\n`).join(''))
      await (await startPipeline(pathToFileURL(job.file), threads === undefined ? {} : { threads })).done
      deepEqual(job.query('out.db', 'select n, seen from t order by n'), [
        { n: 1, seen: 1 },
        { n: 2, seen: 1 },
        { n: 3, seen: 1 },
      ])
      deepEqual(job.query('out.db', 'select line, step, reason, raw from dead_letters order by line'), [
        { line: 5, step: 'validate 1', reason: 'not wanted', raw: '{"n":4}' },
        { line: 6, step: 'late check', reason: 'not wanted', raw: '{"n":5}' },
      ])
    })

    it(`L81: one record that becomes many, and then throws, is a dead letter and nothing of it stays, ${where(threads)}`, async () => {
      using job = new Job(
        'ndjsonSource, pipeline, sqliteSink',
        `const here = (name) => new URL(name, import.meta.url).pathname
        function* parts({ n, count, fails }) {
          for (let part = 0; part < count; part += 1) yield { n, part }
          if (fails) throw new Error('it broke')
        }
        export default pipeline('many', {
          from: () => ndjsonSource(here('in.ndjson')),
          flow: (rows) => rows.flatMap(parts).shuffle().flatMap((row) => [row]),
          into: () => sqliteSink(here('out.db'), { table: 't', columns: { n: 'integer', part: 'integer' }, key: ['n', 'part'] }),
        })`,
      )
      const rows = [
        { n: 1, count: 3 },
        { n: 2, count: 700, fails: true },
        { n: 3, count: 3000 },
        { n: 4, count: 2500, fails: true },
        { n: 5, count: 2 },
      ]
      job.write('in.ndjson', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
      const options = { ...(threads === undefined ? {} : { threads }), epochEvents: 1 }
      const report = await (await startPipeline(pathToFileURL(job.file), options)).done
      deepEqual(job.query('out.db', 'select n, count(*) as rows from t group by n order by n'), [
        { n: 1, rows: 3 },
        { n: 3, rows: 3000 },
        { n: 5, rows: 2 },
      ])
      const letters = job.query('out.db', 'select line, step, reason from dead_letters order by line')
      deepEqual(
        letters.map(({ line, step }) => [line, step]),
        [
          [2, 'parts'],
          [4, 'worker'],
        ],
      )
      match(String(letters[1]?.reason), /it broke/)
      equal(report.run.loaded, 3005)
    })
  }

  it('L83: what the clock has set going, and a schema still holds, goes out before the barrier that follows', async () => {
    using job = new Job(
      'json, pipeline, sqliteSink, tailSource',
      `const here = (name) => new URL(name, import.meta.url).pathname
      export const asked = []
      const later = { '~standard': { version: 1, vendor: 'test', validate: async (value) => {
        asked.push(value)
        await new Promise((resolve) => setTimeout(resolve, 100))
        return { value }
      } } }
      export default pipeline('batches', {
        from: () => tailSource(here('in.ndjson'), json()),
        flow: (rows) => rows.batch({ size: 100, waitMs: 20 }).validate(later).map(([{ n }]) => ({ n })),
        results: 'append',
        into: () => sqliteSink(here('out.db'), { table: 't', columns: { n: 'integer' } }),
      })`,
    )
    const { default: batches, asked } = await import(job.file)
    for (const n of [1, 2, 3]) {
      appendFileSync(job.path('in.ndjson'), `{"n":${n}}\n`)
      const run = await startPipeline(batches, { epochMs: 5 })
      await until(() => asked.length === n, `batch ${n}`)
      await run.drain('the test goes on')
    }
    deepEqual(job.query('out.db', 'select n from t order by n'), [{ n: 1 }, { n: 2 }, { n: 3 }])
  })

  it('L81: three million objects of one record go through a pipeline in a small heap', () => {
    using job = new Job(
      'ndjsonSource, pipeline, sqliteSink',
      `const here = (name) => new URL(name, import.meta.url).pathname
      function* many(line) {
        for (let n = 0; n < 3_000_000; n += 1) yield { line, n, kept: n % 100_000 === 0 }
      }
      export default pipeline('large', {
        from: () => ndjsonSource(here('in.ndjson')),
        flow: (lines) => lines.flatMap(many).filter(({ kept }) => kept).map(({ n }) => ({ n })),
        into: () => sqliteSink(here('out.db'), { table: 't', columns: { n: 'integer' }, key: ['n'] }),
      })`,
    )
    job.write('in.ndjson', '{}\n')
    const args = [
      '--max-old-space-size=300',
      '--conditions=sluice-source',
      'src/cli/bin.ts',
      'run',
      job.file,
      '--quiet',
    ]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    equal(status, 0, stderr)
    equal(job.query('out.db', 'select count(*) as rows from t')[0]?.rows, 30)
  })
})

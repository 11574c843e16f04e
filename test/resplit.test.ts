// Files that are read in other parts than the run before, which was killed: every record once, in rows and in totals.

import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Job } from './support/job.ts'

const COUNT = 40_000

const CODE = `const SOURCES = {
  ndjson: (input, split) => ndjsonSource(input, split),
  'csv, with line ends in quotes where it is not cut': (input, split) =>
    csvSource(input, { columns: { n: 'integer' }, quotedNewlines: split.splitBytes === undefined, ...split }),
  text: (input, split) => fileSource(input, { name: 'numbers', open: () => (line) => ({ n: Number(line) }) }, split),
}
export default pipeline('resplit', {
  params: {
    as: param.string('ndjson'), what: param.string('rows'), bytes: param.number(0),
    input: param.string('in.*'), out: param.string('out.db'),
  },
  from: ({ as, bytes, input }) => SOURCES[as](input, bytes === 0 ? {} : { splitBytes: bytes }),
  flow: (events, { what }) => what === 'rows'
    ? events.map(({ n }) => ({ k: n, n: 1, s: n }))
    : events.keyBy(({ n }) => n % 7).aggregate({ n: count(), s: sum((e) => e.n) }).map(({ key, n, s }) => ({ k: key, n, s })),
  into: ({ out }) => sqliteSink(out, { table: 't', key: ['k'], columns: { k: 'integer', n: 'integer', s: 'integer' } }),
})`

const RECORD: Readonly<Record<string, (n: number) => string>> = { ndjson: (n) => `{"n":${n}}` }

function contentOf(as: string, from: number, to: number): string {
  const record = RECORD[as] ?? ((n: number) => `${n}`)
  return Array.from({ length: to - from }, (_, i) => `${record(from + i)}\n`).join('')
}

describe('a run that reads in other parts than the one before', () => {
  for (const [as, what] of [
    ['ndjson', 'totals'],
    ['csv, with line ends in quotes where it is not cut', 'totals'],
    ['text', 'rows'],
  ] as const) {
    it(`C91: goes on after kills, on threads and without them (${as}, ${what})`, async () => {
      using job = new Job('count, csvSource, fileSource, ndjsonSource, param, pipeline, sqliteSink, sum', CODE)
      job.write('in.1', `${as.startsWith('csv') ? 'n\n' : ''}${contentOf(as, 0, COUNT)}`)
      const words = (bytes: number, threads: number): string[] => [
        ...['--param', `as=${as}`, '--param', `what=${what}`, '--param', `bytes=${bytes}`, '--epoch-ms', '10'],
        ...(threads === 0 ? [] : ['--threads', `${threads}`]),
      ]
      for (const [bytes, threads] of [
        [50_000, 2],
        [0, 0],
        [20_000, 2],
      ] as const) {
        const before = epochOf(job)
        await job.call('run', words(bytes, threads), {
          onStart: async (child) => {
            while (child.exitCode === null && epochOf(job) <= before + 1) await sleep(1)
            child.kill('SIGKILL')
          },
        })
      }
      job.write('in.1', `${as.startsWith('csv') ? 'n\n' : ''}${contentOf(as, 0, COUNT + 10)}`)
      const { code, stdout } = await job.call('run', [...words(0, 0), '--json'])
      deepEqual([code, JSON.parse(stdout).overall.read], [0, COUNT + 10])
      const all = Array.from({ length: COUNT + 10 }, (_, n) => n)
      const total = all.reduce((sum, n) => sum + n, 0)
      deepEqual(job.query('out.db', 'select count(*) as rows, sum(n) as n, sum(s) as s from t'), [
        { rows: what === 'rows' ? all.length : 7, n: all.length, s: total },
      ])
    })
  }
})

/** The last epoch that was committed. */
function epochOf(job: Job): number {
  try {
    return Number(job.query('out.db', 'select epoch from sluice_checkpoints')[0]?.epoch ?? 0)
  } catch {
    return 0 // The database is not there yet, or locked for a moment.
  }
}

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { MOST_KEYS } from '../../src/flow/limit.ts'
import { Job, type Told } from '../support/job.ts'

const MB = 1024 * 1024
const PIPELINE = (from: string): string => `
export default pipeline('limits', {
  from: () => ${from},
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { n: 'integer' }, key: ['n'] }),
})
`

/** The rows and the reasons of dead letters that a pipeline left. */
function left(job: Job): { rows: unknown[]; reasons: unknown[] } {
  return {
    rows: job.query('out.db', 'select n from t order by n').map(({ n }) => n),
    reasons: job.query('out.db', 'select reason from dead_letters order by line').map(({ reason }) => reason),
  }
}

describe('A record over a limit', () => {
  it('S5: is a dead letter where a line is over a mebibyte, and its neighbours are loaded', async () => {
    using job = new Job(
      'ndjsonSource, pipeline, sqliteSink',
      PIPELINE("ndjsonSource(import.meta.dirname + '/in.ndjson')"),
    )
    job.write('in.ndjson', `{"n":1}\n{"n":2,"x":"${'x'.repeat(3 * MB)}"}\n{"n":3}\n`)
    equal((await job.here('run')).code, 0)
    const { rows, reasons } = left(job)
    deepEqual(rows, [1, 3])
    match(String(reasons), /line/)
  })

  it('S5: is a dead letter where it has over 10,000 fields', async () => {
    using job = new Job(
      'csvSource, pipeline, sqliteSink',
      PIPELINE("csvSource(import.meta.dirname + '/in.csv', { columns: { n: 'integer' } })"),
    )
    job.write('in.csv', `n\n1\n${'2,'.repeat(10_000)}\n3\n`)
    equal((await job.here('run')).code, 0)
    const { rows, reasons } = left(job)
    deepEqual(rows, [1, 3])
    match(String(reasons), /10,?000 fields/)
  })

  it('S5: stops the load where a header has over 10,000 fields', async () => {
    using job = new Job('csvSource, pipeline, sqliteSink', PIPELINE("csvSource(import.meta.dirname + '/in.csv')"))
    job.write('in.csv', `${Array.from({ length: 20_000 }, (_, n) => `c${n}`).join(',')}\n1\n`)
    const { code, stderr } = await job.here('run')
    ok([66, 78].includes(code ?? 0), stderr)
  })

  it('S5: is a dead letter where it is nested more than 100 deep, before anything recurses into it', async () => {
    using job = new Job(
      'ndjsonSource, pipeline, sqliteSink',
      PIPELINE("ndjsonSource(import.meta.dirname + '/in.ndjson')"),
    )
    const nested = (depth: number): string => `{"n":2,"x":${'['.repeat(depth)}${']'.repeat(depth)}}`
    job.write('in.ndjson', ['{"n":1}', nested(100_000), '['.repeat(100_000), nested(101), '{"n":3}', ''].join('\n'))
    const told = await job.here('run')
    equal(told.code, 0, told.stderr)
    const { rows, reasons } = left(job)
    deepEqual(rows, [1, 3])
    deepEqual(reasons, Array(3).fill('nested more than 100 deep'))
  })

  it('S5: is a dead letter where an object has over 10,000 keys', async () => {
    using job = new Job(
      'ndjsonSource, pipeline, sqliteSink',
      PIPELINE("ndjsonSource(import.meta.dirname + '/in.ndjson')"),
    )
    const keys = Array.from({ length: 10_001 }, (_, n) => `"k${n}":0`).join(',')
    job.write('in.ndjson', `{"n":1}\n{${keys}}\n{"n":3}\n`)
    equal((await job.here('run')).code, 0)
    const { rows, reasons } = left(job)
    deepEqual(rows, [1, 3])
    deepEqual(reasons, ['an object of over 10,000 keys'])
  })
})

describe('Records with ever new fields', () => {
  it('S5: add up to 1,000 columns to a table; what comes beyond is a dead letter that says so', async () => {
    using job = new Job(
      'ndjsonSource, pipeline, sqliteSink',
      `export default pipeline('limits', {
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', schema: 'evolve' }),
})`,
    )
    const records = Array.from({ length: 30 }, (_, n) => {
      return JSON.stringify(
        Object.fromEntries([['n', n], ...Array.from({ length: 50 }, (_, at) => [`f${50 * n + at}`, 1])]),
      )
    })
    job.write('in.ndjson', `${records.join('\n')}\n`)
    const { code, stderr } = await job.here('run', ['--quiet'])
    equal(code, 0, stderr)
    const columns = job.query('out.db', "select count(*) as n from pragma_table_info('t')")[0]?.n
    // With those by which a row is known again.
    ok(Number(columns) <= 1010, `${columns} columns`)
    const { reasons } = left(job)
    ok(reasons.length > 0)
    for (const reason of reasons)
      match(String(reason), /^the table has no column "f\d+", and rows cannot extend a table beyond 1,000 columns: /)
  })
})

/** A flow over so many numbers, each its own key. */
const FLOW = (steps: string, count = 100_000): string => `
const numbers = function* () { for (let n = 0; n < ${count}; n += 1) yield { n, t: n } }
export default flow(numbers())${steps}
`
const NAMES = 'count, flow, session, tumbling'

async function ends(job: Job): Promise<Told> {
  const told = await job.here('run', ['--quiet'])
  equal(told.code, 65, told.stderr)
  equal(told.stderr.trimEnd().split('\n').length, 1, told.stderr)
  return told
}

describe('What an operator remembers', () => {
  it('S5: ends the run with 65, by name, where keys are more than it may hold', async () => {
    const cases: readonly (readonly [steps: string, message: RegExp])[] = [
      [
        '.keyBy(({ n }) => n).aggregate({ c: count() }, { maxKeys: 1000 })',
        /another key in aggregate.*: a stage holds 1,000, the limit set by maxKeys/,
      ],
      [
        '.uniq(({ n }) => n, { maxKeys: 1000 })',
        /another key in uniq.*: a stage holds 1,000, the limit set by maxKeys/,
      ],
      [
        '.batch({ size: 9, key: ({ n }) => n, maxKeys: 1000 })',
        /another open batch in batch.*: a stage holds 1,000, the limit set by maxKeys/,
      ],
      [
        '.keyBy(({ n }) => n).window(tumbling("1h", ({ t }) => t, { maxOpen: 1000 })).aggregate({ c: count() })',
        /another window \(of the key \d+\) in aggregate.*: a stage holds 1,000, the limit set by maxOpen/,
      ],
      [
        '.keyBy(({ n }) => n).window(session("1h", ({ t }) => t, { maxOpen: 1000 })).aggregate({ c: count() })',
        /another window .* in aggregate.*: a stage holds 1,000, the limit set by maxOpen/,
      ],
      [
        '.reduce(() => new Map<number, number>(), (all, { n }) => all.set(n, n), { maxKeys: 1000 })',
        /another key in reduce.*: a stage holds 1,000, the limit set by maxKeys/,
      ],
      [
        '.reduce((): number[] => [], (all, { n }) => { all.push(n); return all }, { maxKeys: 1000 })',
        /another item in reduce.*: a stage holds 1,000, the limit set by maxKeys/,
      ],
      [
        '.window(tumbling("1h", ({ t }) => t)).reduce(() => new Set<number>(), (all, { n }) => all.add(n), { maxKeys: 1000 })',
        /another key in reduce.*: a stage holds 1,000, the limit set by maxKeys/,
      ],
      ['.groupBy(({ n }) => n, ({ n }) => n, { maxKeys: 1000 })', /another key in groupBy.*: a stage holds 1,000/],
      [
        '.groupBy(({ n }) => n % 7, ({ n }) => n, { maxHeld: 1000 })',
        /another value in groupBy.*: a stage holds 1,000, the limit set by maxHeld/,
      ],
      [
        '.join(flow([{ n: -1 }]), { left: ({ n }) => n, right: ({ n }) => n, maxHeld: 1000 })',
        /another event in join.*: a stage holds 1,000, the limit set by maxHeld/,
      ],
    ]
    for (const [steps, message] of cases) {
      using job = new Job(NAMES, FLOW(steps))
      match((await ends(job)).stderr, message, steps)
    }
  })

  it('S5: has a bound by default, whatever the keys are', () => {
    // Below what a Map can hold, which would end with an error that nobody can act on.
    ok(MOST_KEYS < 2 ** 24)
  })

  it('S5: takes memory in proportion to a million keys', () => {
    const program = `
import { count, flow, run } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
const numbers = function* () { for (let n = 0; n < 1_000_000; n += 1) yield n }
const results = flow(numbers()).keyBy((n) => 'key ' + n).aggregate({ c: count() })
let rows = 0
await run(results, { into: (batch) => void (rows += batch.length) })
process.stdout.write(JSON.stringify({ rows, peakMb: process.resourceUsage().maxRSS / 1024 }))
`
    using job = new Job('pipeline', '')
    const file = job.write('program.ts', program)
    const { rows, peakMb } = JSON.parse(
      execFileSync(process.execPath, ['--conditions=sluice-source', file], { encoding: 'utf8' }),
    )
    equal(rows, 1_000_000)
    ok(peakMb < 700, `${peakMb} MB`)
  })

  it('S5: is forgotten with the window it was for: memory is flat over a million keys', () => {
    const program = `
import { count, flow, run, tumbling } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
let atTenth = 0
let rows = 0
const numbers = function* () {
  for (let n = 0; n < 1_000_000; n += 1) {
    if (n === 100_000) { globalThis.gc(); atTenth = process.memoryUsage().heapUsed }
    yield { key: 'key ' + n, t: n }
  }
}
const results = flow(numbers()).keyBy(({ key }) => key).window(tumbling('1s', ({ t }) => t)).aggregate({ c: count() })
await run(results, { into: (batch) => void (rows += batch.length) })
globalThis.gc()
process.stdout.write(JSON.stringify({ rows, grownMb: (process.memoryUsage().heapUsed - atTenth) / 1e6 }))
`
    using job = new Job('pipeline', '')
    const file = job.write('program.ts', program)
    const args = ['--expose-gc', '--conditions=sluice-source', file]
    const { rows, grownMb } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    equal(rows, 1_000_000)
    ok(grownMb < 20, `${grownMb} MB`)
  })
})

import { deepEqual, equal, match } from 'node:assert/strict'
import { after, afterEach, describe, it } from 'node:test'
import { collect, count, flow, max, sum, topK, tumbling } from 'sluice'
import { csvLine } from '../../src/connect/formats/csv/write.ts'
import { Job, sluiceHere } from '../support/job.ts'
import { ROOT } from '../support/project.ts'

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'then',
]

/** What no object has had given to it, neither as a name of its own nor through what all share. */
function nothingIsPolluted(): void {
  const before = Object.getOwnPropertyNames(Object.prototype).sort()
  equal(({} as Record<string, unknown>).polluted, undefined)
  equal(([] as unknown as Record<string, unknown>).polluted, undefined)
  deepEqual(before, ORIGINAL)
  equal(Object.prototype.toString, TO_STRING)
}
const ORIGINAL = Object.getOwnPropertyNames(Object.prototype).sort()
const TO_STRING = Object.prototype.toString

describe('Names that objects have', () => {
  afterEach(nothingIsPolluted)
  const jobs: Job[] = []
  const jobOf = (names: string, code: string): Job => {
    const job = new Job(names, code)
    jobs.push(job)
    return job
  }
  after(() => {
    for (const job of jobs) job[Symbol.dispose]()
  })

  const stores: readonly (readonly [kind: string, file: string])[] = [
    ['sqlite', 'out.db'],
    ['duckdb', 'out.duckdb'],
  ]
  for (const [kind, file] of stores) {
    it(`S7: are columns where they are the header of a CSV file, into ${kind}`, async () => {
      const into = `${kind}Sink(import.meta.dirname + '/${file}', { table: 't' })`
      const job = jobOf(
        `csvSource, pipeline, ${kind}Sink`,
        `export default pipeline('p', { from: () => csvSource(import.meta.dirname + '/in.csv'), into: () => ${into} })`,
      )
      job.write('in.csv', csvLine(NAMES) + csvLine(NAMES.map((name) => `the ${name}`)))
      const told = await job.here('run', ['--strict'])
      equal(told.code, 0, told.stderr)
      if (kind === 'sqlite') {
        const columns = NAMES.map((name) => `"${name}"`).join(', ')
        const [row] = job.query(file, `select json_array(${columns}) as found from t`)
        deepEqual(
          JSON.parse(String(row?.found)),
          NAMES.map((name) => `the ${name}`),
        )
      } else match((await job.here('check', ['--rows', '1'])).stdout, /"__proto__":"the __proto__"/)
    })
  }

  it('S7: are columns where they are the keys of JSON, and what they hold is data', async () => {
    const job = jobOf(
      'ndjsonSource, pipeline, sqliteSink',
      `export default pipeline('p', {
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  flow: (rows) => rows.map((row) => ({ ...row, n: row.n + 1 })).filter((row) => row.n > 0),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't' }),
})`,
    )
    const record = `{${NAMES.map((name) => `${JSON.stringify(name)}:{"polluted":true,"toString":1}`).join(',')},"n":1}`
    job.write('in.ndjson', `${record}\n${record}\n`)
    const told = await job.here('run', ['--strict', '--json'])
    equal(told.code, 0, told.stdout)
    const found = job.query('out.db', `select ${NAMES.map((name) => `"${name}" as c${NAMES.indexOf(name)}`)}, n from t`)
    equal(found.length, 2)
    for (const row of found) deepEqual(new Set(Object.values(row)), new Set(['{"polluted":true,"toString":1}', 2]))
  })

  it('S7: are keys like any other of an aggregation, a window, a reduction, uniq and topK', async () => {
    const events = [...NAMES, ...NAMES].map((name, n) => ({ name, n, t: n }))
    const byKey = (rows: readonly { key: string }[]): string[] => rows.map(({ key }) => key).sort()
    const keyed = flow(events).keyBy(({ name }) => name)
    const sums = await collect(keyed.aggregate({ n: count(), most: max(({ n }) => n), all: sum(({ n }) => n) }))
    deepEqual(byKey(sums), [...NAMES].sort())
    for (const { key, n, most } of sums) deepEqual([n, most], [2, NAMES.length + NAMES.indexOf(key)])
    const windowed = await collect(keyed.window(tumbling(1000, ({ t }) => t)).aggregate({ n: count() }))
    deepEqual(byKey(windowed), [...NAMES].sort())
    const groups = await collect(flow(events).groupBy(({ name }) => name))
    deepEqual(groups.map(([key, values]) => [key, values.length]).sort(), NAMES.map((name) => [name, 2]).sort())
    deepEqual((await collect(flow(events).uniq(({ name }) => name))).length, NAMES.length)
    const [top] = await collect(flow(events).aggregate({ top: topK(20, ({ name }) => name) }))
    deepEqual(JSON.stringify(top).includes('__proto__'), true)
  })

  it('S7: are keys and fields like any other between threads', async () => {
    const job = jobOf(
      'count, flow',
      `
const names = ${JSON.stringify(NAMES)}
const events = names.map((name) => JSON.parse(\`{"__proto__":"\${name}","constructor":1,"name":"\${name}"}\`))
export default flow(events).shuffle().partition({ key: (event) => event.name }).map((event) => ({ ...event }))
`,
    )
    const { code, stdout, stderr } = await job.here('run', ['--threads', '2', '--quiet'])
    equal(code, 0, stderr)
    const lines = stdout.trimEnd().split('\n').sort()
    deepEqual(lines, NAMES.map((name) => `{"__proto__":"${name}","constructor":1,"name":"${name}"}`).sort())
  })

  it('S7: are parameters where a pipeline has them, and refused where it has not', async () => {
    const job = jobOf(
      'ndjsonSource, param, pipeline, sqliteSink',
      `
const params = JSON.parse('{"__proto__": null, "constructor": null, "file": null}')
for (const name of Object.keys(params)) Object.defineProperty(params, name, { value: param.string('none of ' + name), enumerable: true })
export default pipeline('p', {
  params,
  from: (given) => ndjsonSource(Object.getOwnPropertyDescriptor(given, '__proto__').value + given.constructor + given.file),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { n: 'integer' } }),
})`,
    )
    const input = job.write('in.ndjson', '{"n":1}\n')
    const third = Math.floor(input.length / 3)
    const parts = [input.slice(0, third), input.slice(third, 2 * third), input.slice(2 * third)]
    const words = ['__proto__', 'constructor', 'file'].flatMap((name, at) => ['--param', `${name}=${parts[at]}`])
    const told = await job.here('run', words)
    equal(told.code, 0, told.stderr)
    for (const name of ['toString', 'hasOwnProperty', 'prototype']) {
      const { code, stderr } = await job.here('run', ['--param', `${name}=x`])
      equal(code, 78)
      match(stderr, /has no parameter/)
    }
  })

  it('S7: are no commands, options or exports', async () => {
    const example = `${ROOT}/examples/etl.ts`
    for (const name of NAMES) {
      equal((await sluiceHere([name])).code, 64, name)
      equal((await sluiceHere(['help', name])).code, 64, name)
      equal((await sluiceHere(['run', example, `--${name}`])).code, 64, name)
      equal((await sluiceHere(['run', example, '--log', name])).code, 64, name)
    }
  })

  it('S7: are titles and values of what a summary counts', async () => {
    const job = jobOf(
      'ndjsonSource, pipeline, sqliteSink',
      `export default pipeline('p', {
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { name: 'text' } }),
  top: Object.fromEntries([['__proto__', (row) => row.name], ['constructor', (row) => row.name]]),
})`,
    )
    job.write('in.ndjson', NAMES.map((name) => `${JSON.stringify({ name })}\n`).join(''))
    const { code, stdout, stderr } = await job.here('run', ['--json'])
    equal(code, 0, stderr)
    const tops = Object.entries(JSON.parse(stdout).top) as [string, { values: unknown; distinct: number }][]
    deepEqual(
      tops.map(([title, { distinct }]) => [title, distinct]),
      [
        ['__proto__', NAMES.length],
        ['constructor', NAMES.length],
      ],
    )
  })
})

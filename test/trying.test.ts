// The commands that try a pipeline: preview, dev, test.

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { tableLines } from '../src/cli/show/table.ts'
import { sluice } from './support/cli.ts'
import { importsFor, Job } from './support/job.ts'
import { ROOT } from './support/project.ts'

const NAMES = 'count, csvSource, flow, ndjsonSource, pipeline, sqliteSink, tumbling'

/** @param factor - a module that the job imports */
function job(factor = 'export const factor = 2\n'): Job {
  const made = new Job(
    NAMES,
    `import { factor } from './factor.ts'
const names = flow(csvSource(import.meta.dirname + '/names.csv', { columns: { id: 'integer', name: 'text' } }))
export default pipeline('tried', {
  from: ndjsonSource(import.meta.dirname + '/in.ndjson'),
  flow: (all) => all
    .filter(({ n }) => n > 0, { name: 'positive' })
    .map((row) => Object.assign(row, { n: row.n * factor }), { name: 'changed' })
    .join(names, { left: ({ id }) => id, right: ({ id }) => id })
    .map(([{ n, at }, { name }]) => ({ n, at, name }), { name: 'named' })
    .keyBy('name').window(tumbling(10, 'at')).aggregate({ n: count() }),
  into: sqliteSink('/nowhere/out.db', { table: 't' }),
})`,
  )
  made.write('factor.ts', factor)
  made.write('names.csv', 'id,name\n1,ann\n2,ben\n')
  const rows = [1, -1, 3, 5].map((n, at) => ({ id: (at % 2) + 1, n, at: at * 6, password: 'geheim' }))
  made.write('in.ndjson', `${rows.map((row) => JSON.stringify(row)).join('\n')}\nbroken\n`)
  return made
}

/** The titles of steps with their counts, and everything else that a command printed. */
function headsOf(stdout: string): string[] {
  return stdout.split('\n').filter((line) => /^\d+ /.test(line))
}

describe('sluice preview', () => {
  it('U20, U21: shows rows after every step, to the end of the flow, without its sink', async () => {
    using made = job()
    const { code, stdout, stderr } = await made.here('preview')
    equal(code, 0, stderr)
    deepEqual(
      headsOf(stdout).map((head) => head.replace(made.folder, '')),
      [
        '1 /in.ndjson as json: 4 events',
        '2 filter positive: 3 events',
        '3 map changed: 3 events',
        '4 /names.csv as csv: 2 events',
        '5 join 3 (of steps 3 and 4): 3 events',
        '6 map named: 3 events',
        '7 aggregate 5: 3 events',
        '1 dead letter',
      ],
    )
    match(stdout, /\n {3}name {2}windowStart {2}windowEnd {2}n\n {3}ann/)
    match(stdout, /in\.ndjson:5 {2}json: not valid JSON/)
    match(
      stdout,
      /\nPreview: 3 rows for table t in \/nowhere\/out\.db, 1 dead letter, of 7 records\. Nothing was loaded\.\n$/,
    )
    ok(!existsSync('/nowhere'))
  })

  it('U22: shows a row as the step gave it, though a later one changes it', async () => {
    using made = job()
    const { stdout } = await made.here('preview', ['--json'])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const valuesOf = (step: number) => lines.filter((line) => line.step === step).map(({ event }) => event.n)
    deepEqual([1, 2, 3].map(valuesOf), [
      [1, -1, 3, 5],
      [1, 3, 5],
      [2, 6, 10],
    ])
    deepEqual(lines.at(-1).steps.length, 7)
    deepEqual(lines.find((line) => 'dead' in line).dead.step, 'json')
  })

  it('U20: shows one step, and as many rows and records as are asked for', async () => {
    using made = job()
    const { stdout } = await made.here('preview', ['--step', '1', '--rows', '2', '--records', '3'])
    deepEqual(stdout.replace(made.folder, '').split('\n').slice(0, 4), [
      '1 /in.ndjson as json: 3 events',
      '   id   n  at  password',
      '    1   1   0  ***',
      '    2  -1   6  ***',
    ])
    const { code, stderr } = await made.here('preview', ['--step', '8'])
    deepEqual([code, stderr], [64, 'sluice: --step must be the number of a step, from 1 to 7: found 8\n'])
  })

  it('U23: makes tables that fit, and names what does not', () => {
    const rows = [
      { id: 1, text: 'x'.repeat(50), token: 'abc', at: { apiKey: 'k', n: 1 } },
      { id: 20, text: null },
      'y\u001b[2J',
    ]
    deepEqual(tableLines(rows, { columns: 60 }), [
      'id  text                                      token',
      ' 1  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…  ***',
      '20  null',
      '',
      'and at, value',
    ])
    deepEqual(tableLines(rows.slice(0, 1), { columns: 200 }).at(-1)?.slice(46), '***    {"apiKey":"***","n":1}')
    for (const columns of [1, 5, 20, 79]) ok(tableLines(rows, { columns }).every(({ length }) => length <= columns))
  })
})

describe('sluice dev', () => {
  it('U24: previews again at each save of a module, and shows what has changed', async () => {
    using made = job()
    const steps: [wanted: RegExp, then: () => void][] = [
      [/waiting for a change/, () => writeFileSync(made.path('factor.ts'), 'export const factor = 3\n')],
      [
        /7 aggregate 5: 3 events, the first as before[\s\S]*waiting/,
        () => writeFileSync(made.path('factor.ts'), 'export const factor = (\n'),
      ],
      [
        /sluice: Cannot run .*factor\.ts, line \d\)[\s\S]*waiting/,
        () => writeFileSync(made.path('factor.ts'), "export { factor } from './other.ts'\n"),
      ],
      [/Cannot find module[\s\S]*waiting/, () => writeFileSync(made.path('other.ts'), 'export const factor = 4\n')],
      [/map changed[\s\S]*waiting/, () => {}],
    ]
    const said: string[] = []
    let [text, at] = ['', 0]
    const { code, stderr } = await made.call('dev', [], {
      onStart: (child) => {
        child.stdout?.on('data', (more: string) => {
          text += more
          const [wanted, then] = steps[at] ?? []
          if (wanted === undefined || !wanted.test(text)) return
          said.push(text)
          text = ''
          at += 1
          then?.()
          if (at === steps.length) child.kill('SIGINT')
        })
      },
    })
    deepEqual([code, said.length], [0, steps.length], stderr)
    match(
      said[1] as string,
      /2 filter positive: 3 events, the first as before\n3 map changed: 3 events\n[\s\S]*\n {3}- +1 +2 +0 +\*\*\*\n {3}\+ +1 +3 +0 +\*\*\*\n/,
    )
  })
})

describe('sluice test', () => {
  const passing = (made: Job) =>
    made.write(
      'a.test.ts',
      `${importsFor('valuesSource')}import { it } from 'node:test'
it('passes', () => {}); it('is one of two', () => { if (valuesSource([]).kind !== 'values') throw new Error('no') })\n`,
    )
  // This process is a test itself, and a runner inside one would run nothing.
  const apart = { under: ['env', '-u', 'NODE_TEST_CONTEXT'] }

  it('U9: runs the tests of a folder, and tells by its code whether one failed', async () => {
    using made = job()
    passing(made)
    mkdirSync(made.path('node_modules'))
    made.write('node_modules/x.test.ts', 'throw new Error("not ours")')
    const { code, stdout } = await sluice(['test', made.folder], { cwd: ROOT, ...apart })
    equal(code, 0, stdout)
    match(stdout, /passes[\s\S]*pass 2/)
    const one = await sluice(['test', '--name', 'two'], { cwd: made.folder, ...apart })
    match(one.stdout, /pass 1/)
    made.write('b.test.ts', "import { it } from 'node:test'\nit('fails', () => { throw new Error('as it should') })\n")
    const failed = await sluice(['test'], { cwd: made.folder, ...apart })
    equal(failed.code, 1)
    match(failed.stdout, /as it should/)
  })

  it('U9: says that there is no test', async () => {
    using made = job()
    const { code, stderr } = await sluice(['test', made.folder], { cwd: ROOT, ...apart })
    deepEqual(
      [code, stderr],
      [78, `sluice: Cannot test ${made.folder}: it has no file that is called *.test.ts or *.test.js\n`],
    )
  })
})

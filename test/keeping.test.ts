import { deepEqual, equal, match } from 'node:assert/strict'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { sluice } from './support/cli.ts'
import { sluiceHere, type Told } from './support/job.ts'
import { isLocked } from './support/locked.ts'
import { untilCommitted, valueIn } from './support/progress.ts'

const folder = tempFolder('sluice-keeping-')
const job = join(folder, 'job.ts')
const JOB = `
import { ndjsonSource, param, pipeline, sqliteSink } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
export default pipeline('numbers', {
  params: { input: param.string('in.ndjson'), db: param.string('out.db'), most: param.number(5) },
  from: ({ input }) => ndjsonSource(input),
  flow: (rows, { most }) => rows.map((row) => {
    if (row.n > most) throw new RangeError(row.n + ' is over ' + most)
    return { n: row.n }
  }, { name: 'small' }),
  into: ({ db }) => sqliteSink(db, { table: 't', columns: { n: 'integer' }, key: ['n'] }),
})
`
let turn = 0
let input = ''
let db = ''
/** What is over it is refused: a fault that can be mended between two runs. */
let most = 5
beforeEach(() => {
  turn += 1
  input = join(folder, `${turn}.ndjson`)
  db = join(folder, `${turn}.db`)
  writeFileSync(job, JOB)
  most = 5
  writeFileSync(input, Array.from({ length: 10 }, (_, n) => `${JSON.stringify({ n })}\n`).join(''))
  appendFileSync(input, 'no \u001b[2J json\n')
})

const call = (command: string, words: readonly string[] = [], file = job): Promise<Told> =>
  sluiceHere([command, file, ...words, '--param', `input=${input}`, '--param', `db=${db}`, '--param', `most=${most}`])

const numbers = () => rowsIn(db, 'select n from t order by n').map(({ n }) => n)

describe('sluice dead-letters', () => {
  it('counts by step and reason, with an example', async () => {
    await call('run', ['--quiet'])
    const { code, stdout } = await call('dead-letters')
    equal(code, 0)
    match(stdout, /^5 dead letters\n/)
    match(stdout, / 1 {2}small: 6 is over 5 {2}\(.*\.ndjson:7\)\n/)
    const { stdout: json } = await call('dead-letters', ['list', '--json', '--step', 'small'])
    equal(JSON.parse(json).deadLetters, 4)
  })

  it('S13: shows each with control characters escaped, and exports them as they are', async () => {
    await call('run', ['--quiet'])
    const { stdout } = await call('dead-letters', ['show', '--step', 'json'])
    match(stdout, /\.ndjson:11 {2}json: .*\n {4}no \\x1b\[2J json\n$/)
    const { stdout: raw } = await call('dead-letters', ['export', '--raw', '--limit', '2'])
    equal(raw, '{"n":6}\n{"n":7}\n')
    const { stdout: csv } = await call('dead-letters', ['export', '--format', 'csv', '--reason', '9 is'])
    match(csv, /^file,line,offset,step,reason,epoch,raw\r?\n".*\.ndjson",10,72,small,9 is over 5,1,"\{""n"":9\}"\r?\n$/)
  })

  it('F37: replays what was mended, each once, however often it is done', async () => {
    await call('run', ['--quiet'])
    most = 8
    const { code, stdout, stderr } = await call('dead-letters', ['replay', '--step', 'small'])
    deepEqual([code, stderr], [0, ''])
    equal(stdout, '4 replayed: 3 loaded, 1 failed again\n')
    deepEqual(numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8])
    const again = await call('dead-letters', ['replay', '--json'])
    deepEqual(JSON.parse(again.stdout), { tried: 2, loaded: 0, dead: 2, skipped: 0 })
    deepEqual(numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8])
    const { stdout: left } = await call('dead-letters')
    match(left, /^2 dead letters\n[\s\S]*9 is over 8/)
    const { stdout: stands } = await call('checkpoints', ['--json'])
    const { read, loaded, dead } = JSON.parse(stands).totals
    deepEqual({ read, loaded, dead }, { read: 11, loaded: 9, dead: 2 })
    const run = await call('run', ['--json'])
    equal(JSON.parse(run.stdout).run.read, 0)
  })

  it('F37: keeps what the sink refuses again', async () => {
    appendFileSync(input, '{"n":4.5}\n')
    await call('run', ['--quiet'])
    for (const _again of [1, 2]) {
      const { stdout } = await call('dead-letters', ['replay', '--step', 'sqlite', '--json'])
      deepEqual(JSON.parse(stdout), { tried: 1, loaded: 0, dead: 1, skipped: 0 })
    }
    const { stdout: left } = await call('dead-letters', ['list', '--step', 'sqlite'])
    match(left, /^1 dead letter\n.*column n takes exact integers/)
  })

  it('says what it cannot do', async () => {
    const nothing = await call('dead-letters', ['burn'])
    equal(nothing.code, 64)
    match(nothing.stderr, /dead-letters takes list, show, replay, export: found burn/)
    equal((await call('dead-letters')).stdout, 'no dead letters\n')
  })
})

describe('sluice checkpoints', () => {
  it('shows where a pipeline stands', async () => {
    equal((await call('checkpoints')).stdout, 'numbers: nothing has been committed yet\n')
    await call('run', ['--quiet'])
    const { code, stdout } = await call('checkpoints', ['show'])
    equal(code, 0)
    match(
      stdout,
      /^numbers: epoch 1, by process \d+ on .* at 20.*Z\n {2}11 read = 6 loaded \+ 5 dead .*\n {2}no run holds it\n {2}1 position\n/,
    )
  })

  it('lets a pipeline start over, only on purpose', async () => {
    await call('run', ['--quiet'])
    const refused = await call('checkpoints', ['reset'])
    equal(refused.code, 64)
    match(refused.stderr, /would delete epoch 1 and 1 position; rows stay .*add --yes/)
    const { stdout } = await call('checkpoints', ['reset', '--yes', '--dead-letters'])
    equal(stdout, 'numbers: forgot epoch 1 and 1 position\n')
    equal((await call('dead-letters')).stdout, 'no dead letters\n')
    equal(JSON.parse((await call('run', ['--json'])).stdout).run.read, 11)
  })

  it('lets a pipeline start over whose checkpoint cannot be read, as the error of the run says', async () => {
    await call('run', ['--quiet'])
    const database = new DatabaseSync(db)
    database.exec('update sluice_checkpoints set splits = 2')
    database.close()
    const { code, stderr } = await call('run', ['--quiet'])
    equal(code, 78)
    match(stderr, /it has 2 splits, and there are positions of 1 \(to start over: sluice checkpoints FILE reset\)/)
    const refused = await call('checkpoints', ['reset'])
    match(refused.stderr, /would delete a checkpoint that cannot be read: it has 2 splits/)
    equal((await call('checkpoints', ['reset', '--yes'])).code, 0)
    equal(JSON.parse((await call('run', ['--json'])).stdout).run.read, 11)
  })

  it('refuses to while a run holds the pipeline', async () => {
    await call('run', ['--quiet'])
    const database = new DatabaseSync(db)
    database.exec(`update sluice_leases set pid = 1, host = 'elsewhere', renewed = ${Date.now()}`)
    database.close()
    const { code, stderr } = await call('checkpoints', ['reset', '--yes'])
    equal(code, 75)
    match(stderr, /Cannot reset numbers: it is held by process 1 on elsewhere/)
    equal((await call('checkpoints', ['break-lease'])).code, 64)
    match((await call('checkpoints', ['break-lease', '--yes'])).stdout, /^numbers: taken from process 1 on elsewhere, /)
    equal((await call('checkpoints', ['reset', '--yes'])).code, 0)
  })

  it('C34: takes a pipeline from a run that is stopped, which commits nothing more when it wakes', async () => {
    const [many, out, file] = ['many.ndjson', 'held.db', 'slow.ts'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    writeFileSync(many, Array.from({ length: 100_000 }, (_, n) => `{"n":${n}}\n`).join(''))
    // Few rows are loaded: the stopped process must not have the file's lock.
    const flow = `rows.filter(({ n }) => {
      if (n % 100 === 0) for (const endMs = performance.now() + 2; performance.now() < endMs; );
      return n % 10_000 === 0
    })`
    writeFileSync(file, JOB.replace(/flow: [\s\S]*?,\n {2}into/, `flow: (rows) => ${flow},\n  into`))
    const words = ['--param', `input=${many}`, '--param', `db=${out}`]
    let taken = Promise.resolve()
    const { code, stderr } = await sluice(['run', file, ...words, '--quiet', '--epoch-ms', '50'], {
      onStart: (child) => {
        const take = async () => {
          await untilCommitted(out, child)
          for (child.kill('SIGSTOP'); isLocked(out); child.kill('SIGSTOP')) {
            child.kill('SIGCONT')
            await sleep(20)
          }
          const broken = await sluiceHere(['checkpoints', file, 'break-lease', '--yes', ...words])
          match(broken.stdout, /^numbers: taken from process \d+ on .*, since 20.*: it can commit nothing more/)
          equal(JSON.parse((await sluiceHere(['run', file, ...words, '--json'])).stdout).overall.loaded, 10)
        }
        taken = take().finally(() => child.kill('SIGCONT'))
      },
    })
    await taken
    equal(code, 75, stderr)
    match(stderr, /this instance was fenced off/)
    equal(valueIn(out, 'select count(*) as value from t'), 10)
  })
})

describe('sluice check', () => {
  it('shows the first records, and writes nothing', async () => {
    const { code, stdout } = await call('check', ['--rows', '7'])
    equal(code, 0)
    match(stdout, /^pipeline numbers\nfrom .*: 1 part, 93 B\ninto table t in .*: nothing has been committed yet\n/)
    match(
      stdout,
      / {2}row {3}\{"n":5\}\n {2}dead {2}.*\.ndjson:7 {2}small: 6 is over 5\nPreview: 6 rows and 1 dead letter of 7 records\. Nothing was loaded\.\n/,
    )
    equal((await call('checkpoints')).stdout, 'numbers: nothing has been committed yet\n')
  })

  it('says what stands in the way', async () => {
    rmSync(input)
    const { code, stderr } = await call('check')
    equal(code, 66)
    match(stderr, /there is no/)
    equal(readFileSync(job, 'utf8'), JOB)
  })
})

describe('a pipeline into several sinks', () => {
  it('C42, C43: is looked after branch by branch, and starts over as a whole', async () => {
    const second = `${db}.second.db`
    const branched = join(folder, 'branched.ts')
    writeFileSync(
      branched,
      `
import { ndjsonSource, param, pipeline, fanOut, sqliteSink } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
export default pipeline('numbers', {
  params: { input: param.string('in.ndjson'), db: param.string('out.db'), most: param.number(5) },
  from: ({ input }) => ndjsonSource(input),
  into: ({ db }) => fanOut(sqliteSink(db, { table: 't', columns: { n: 'integer' }, key: ['n'] }), {
    spool: db + '.spool',
    branches: {
      second: { into: sqliteSink(db + '.second.db', { table: 't', columns: { n: 'integer' }, key: ['n'] }), map: ({ n }) => ({ n: n === 4 ? 'four' : n }) },
    },
  }),
})
`,
    )
    const { code, stderr } = await call('run', [], branched)
    deepEqual(code, 0, stderr)
    match(stderr, /branch second rejected 1 of 10 rows/)
    const letters = await call('dead-letters', ['--branch', 'second', 'show', '--json'], branched)
    equal(JSON.parse(letters.stdout).raw, '{"n":4}')
    match((await call('checkpoints', ['--branch', 'second'], branched)).stdout, /^numbers\.second: epoch 1, by process/)
    match(
      (await call('graph', [], branched)).stdout,
      /branch1\[\("second: table t in .*second\.db<br>exactly-once"\)\]/,
    )
    const refused = await call('dead-letters', ['replay', '--branch', 'second'], branched)
    deepEqual(refused.code, 64)
    match(refused.stderr, /--branch cannot be given here: what a branch rejected has already gone into the other sinks/)
    const reset = await call('checkpoints', ['reset', '--yes', '--dead-letters'], branched)
    deepEqual([reset.code, reset.stderr], [0, ''])
    const again = await call('run', ['--json'], branched)
    equal(JSON.parse(again.stdout).run.loaded, 10)
    const database = new DatabaseSync(second, { readOnly: true })
    equal(database.prepare('select count(*) as n from t').get()?.n, 9)
    database.close()
  })
})

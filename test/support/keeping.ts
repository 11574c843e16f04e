// What the command line does with dead letters and checkpoints, as tests for each database that keeps them.

import { deepEqual, equal, match } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, it } from 'node:test'
import { importsFor, sluiceHere, type Told } from './job.ts'

/** A database for one test. */
export interface KeepingPlace {
  /** An expression of a sink, with `table: 't'`, by the key `n`: `duckdbSink('out.duckdb', …)`. */
  readonly sink: string
  /** The function that the expression needs. */
  readonly names: 'duckdbSink' | 'postgresSink'
  /** Runs SQL; gives rows as objects. */
  readonly query: (sql: string) => Promise<readonly Record<string, unknown>[]>
  /** The time now in SQL, as the table of leases keeps it. */
  readonly now: string
}

/** Ten numbers and a line that is not valid JSON; what is over `most` is refused by a function. */
const LINES = [...Array.from({ length: 10 }, (_, n) => `${JSON.stringify({ n })}\n`), 'no \u001b[2J json\n'].join('')

export function keepingTests(make: () => KeepingPlace | Promise<KeepingPlace>): void {
  let folder = ''
  /** What is over it is refused: a fault that can be mended between two runs. */
  let most = 5
  let place: KeepingPlace
  beforeEach(async () => {
    place = await make()
    folder = mkdtempSync(join(tmpdir(), 'sluice-keeping-'))
    writeFileSync(join(folder, 'in.ndjson'), LINES)
    writeJob()
    most = 5
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const writeJob = (): void => {
    writeFileSync(
      join(folder, 'job.ts'),
      `${importsFor(`ndjsonSource, param, pipeline, ${place.names}`)}export default pipeline('numbers', {
  params: { most: param.number(5) },
  from: () => ndjsonSource(${JSON.stringify(join(folder, 'in.ndjson'))}),
  flow: (rows, { most }) => rows.map(({ n }) => {
    if (n > most) throw new RangeError(n + ' is over ' + most)
    return { n }
  }, { name: 'small' }),
  into: () => ${place.sink},
})
`,
    )
  }
  const call = (command: string, ...words: string[]): Promise<Told> =>
    sluiceHere([command, join(folder, 'job.ts'), ...words, '--param', `most=${most}`])
  const numbers = async () => (await place.query('select n from t order by n')).map(({ n }) => Number(n))

  it('finds nothing where nothing is yet, and makes nothing', async () => {
    const before = await place.query('select table_name from information_schema.tables order by table_name')
    equal((await call('dead-letters')).stdout, 'no dead letters\n')
    equal((await call('checkpoints')).stdout, 'numbers: nothing has been committed yet\n')
    equal((await call('checkpoints', 'reset', '--yes')).code, 0)
    deepEqual(await place.query('select table_name from information_schema.tables order by table_name'), before)
  })

  it('shows where a pipeline stands, and its dead letters', async () => {
    equal((await call('run', '--quiet')).code, 0)
    const { stdout: stands } = await call('checkpoints')
    match(
      stands,
      /^numbers: epoch 1, by process \d+ on .* at 20.*Z\n {2}11 read = 6 loaded \+ 5 dead .*\n {2}no run holds it\n {2}1 position\n/,
    )
    match((await call('dead-letters')).stdout, /^5 dead letters\n[\s\S]* 1 {2}small: 6 is over 5 {2}\(.*\.ndjson:7\)\n/)
    equal((await call('dead-letters', 'export', '--raw', '--limit', '2')).stdout, '{"n":6}\n{"n":7}\n')
    match((await call('dead-letters', 'show', '--step', 'json')).stdout, /\.ndjson:11 {2}json: .*\n {4}no \\x1b\[2J/)
  })

  it('F37: replays what was mended, each once, however often it is done', async () => {
    await call('run', '--quiet')
    most = 8
    const { code, stdout, stderr } = await call('dead-letters', 'replay', '--step', 'small')
    deepEqual([code, stderr], [0, ''])
    equal(stdout, '4 replayed: 3 loaded, 1 failed again\n')
    deepEqual(await numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8])
    deepEqual(JSON.parse((await call('dead-letters', 'replay', '--json')).stdout), {
      tried: 2,
      loaded: 0,
      dead: 2,
      skipped: 0,
    })
    deepEqual(await numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8])
    match((await call('dead-letters')).stdout, /^2 dead letters\n[\s\S]*9 is over 8/)
    const { read, loaded, dead } = JSON.parse((await call('checkpoints', '--json')).stdout).totals
    deepEqual({ read, loaded, dead }, { read: 11, loaded: 9, dead: 2 })
    equal(JSON.parse((await call('run', '--json')).stdout).run.read, 0)
  })

  it('lets a pipeline start over, only on purpose and while no run holds it', async () => {
    await call('run', '--quiet')
    equal((await call('checkpoints', 'reset')).code, 64)
    await place.query(`update sluice_leases set pid = 1, host = 'elsewhere', renewed = ${place.now}`)
    const held = await call('checkpoints', 'reset', '--yes')
    equal(held.code, 75)
    match(held.stderr, /Cannot reset numbers: it is held by process 1 on elsewhere/)
    match((await call('checkpoints')).stdout, /held by process 1 on elsewhere, since/)
    await place.query('update sluice_leases set pid = 0')
    const { stdout } = await call('checkpoints', 'reset', '--yes')
    equal(stdout, 'numbers: forgot epoch 1 and 1 position\n')
    match((await call('dead-letters')).stdout, /^5 dead letters\n/)
    appendFileSync(join(folder, 'in.ndjson'), '{"n":1}\n')
    equal(JSON.parse((await call('run', '--json')).stdout).run.read, 12)
    deepEqual(await numbers(), [0, 1, 2, 3, 4, 5])
    await call('checkpoints', 'reset', '--yes', '--dead-letters')
    equal((await call('dead-letters')).stdout, 'no dead letters\n')
  })

  it('C34: takes a pipeline from who holds it, only on purpose, and says from whom', async () => {
    await call('run', '--quiet')
    equal((await call('checkpoints', 'break-lease', '--yes')).stdout, 'numbers: no run holds it\n')
    const since = place.now
    await place.query(`update sluice_leases set pid = 1, host = 'elsewhere', renewed = ${place.now}, since = ${since}`)
    const asked = await call('checkpoints', 'break-lease')
    equal(asked.code, 64)
    match(
      asked.stderr,
      /would take numbers from process 1 on elsewhere, since 20.*Z, last heard from \d+\.\d s ago: .*add --yes/,
    )
    equal((await call('run', '--quiet')).code, 75)
    const { code, stdout } = await call('checkpoints', 'break-lease', '--yes')
    equal(code, 0)
    match(
      stdout,
      /^numbers: taken from process 1 on elsewhere, .*: it can commit nothing more, and the next run can start\n$/,
    )
    equal(JSON.parse((await call('checkpoints', 'break-lease', '--yes', '--json')).stdout).broken, null)
    equal(JSON.parse((await call('run', '--json')).stdout).run.read, 0)
  })

  it('lets a pipeline start over whose checkpoint cannot be read, as the error of the run says', async () => {
    await call('run', '--quiet')
    await place.query('update sluice_checkpoints set splits = 2')
    const { code, stderr } = await call('run', '--quiet')
    equal(code, 78)
    match(stderr, /it has 2 splits, and there are positions of 1 \(to start over: sluice checkpoints FILE reset\)/)
    equal((await call('checkpoints', 'reset', '--yes')).code, 0)
    equal(JSON.parse((await call('run', '--json')).stdout).run.read, 11)
  })
}

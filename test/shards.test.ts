import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Flow,
  fanOut,
  fileSource,
  flow,
  type Pipeline,
  pipeline,
  sqliteSink,
  sqliteSource,
  startPipeline,
  textLines,
  valuesSource,
} from 'sluice'
import { duckdbSource } from 'sluice/duckdb'
import { kafkaSource } from 'sluice/kafka'
import { natsSource } from 'sluice/nats'
import { postgresSource } from 'sluice/postgres'
import { rabbitmqSource } from 'sluice/rabbitmq'
import { redisStreamSource } from 'sluice/redis'
import { Session } from '../src/connect/duckdb/connection.ts'
import { isOfShard } from '../src/connect/shard.ts'
import { NO_TOTALS } from '../src/connect/totals.ts'
import job, { into } from './jobs/shared-load.ts'
import { sluice } from './support/cli.ts'
import { numbered } from './support/inputs.ts'
import { sluiceHere } from './support/job.ts'
import { rowsIn } from './support/part-files.ts'
import { missingPostgres, PostgresServer } from './support/postgres.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'

const JOB = join(ROOT, 'test', 'jobs', 'shared-load.ts')
const TABLE_JOB = join(ROOT, 'test', 'jobs', 'shared-table.ts')

/** Where copies write, and what is there. */
interface Store {
  readonly out: string
  /** The numbers of all rows, sorted, and how many letters there are. */
  read(): Promise<{ readonly rows: readonly number[]; readonly letters: number }>
}

let folder = ''
let turn = 0
let server: PostgresServer | undefined
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-shards-'))
  if (!missingPostgres()) server = await PostgresServer.start()
})
after(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A new folder of files: the numbers in them are told apart, one of a hundred is a dead letter. */
function makeInput(count: number, lines = 300): string {
  turn += 1
  const input = join(folder, `in${turn}`, 'day')
  mkdirSync(input, { recursive: true })
  for (let file = 0; file < count; file += 1) addLines(input, file, lines, 0)
  return join(folder, `in${turn}`)
}

function addLines(input: string, file: number, lines: number, from: number): void {
  appendFileSync(join(input, `${file}.log`), numbered({ lines, from: file * 100_000 + from }))
}

async function storeOf(kind: string): Promise<Store> {
  turn += 1
  if (kind === 'PostgreSQL') {
    const database = await (server as PostgresServer).createDatabase()
    const query = (sql: string) => (server as PostgresServer).query(database, sql)
    return {
      out: (server as PostgresServer).url(database),
      async read() {
        const rows = (await query('select n::int from t order by n')).map(({ n }) => Number(n))
        return { rows, letters: (await query('select 1 from dead_letters')).length }
      },
    }
  }
  const out = join(folder, kind === 'SQLite' ? `out${turn}.db` : `out${turn}`)
  return {
    out,
    async read() {
      const isTable = kind === 'SQLite'
      const letters = rowsOf(isTable ? out : join(out, '.sluice.db'), 'select 1 from dead_letters').length
      const rows = isTable ? rowsOf(out, 'select n from t') : rowsIn(out)
      return { rows: rows.map(({ n }) => Number(n)).sort((a, b) => a - b), letters }
    },
  }
}

function rowsOf(path: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(path)
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

/** One copy, in this process. */
async function run(input: string, out: string, index: number, count: number, given: Pipeline = job as never) {
  const params = new Map([
    ['input', join(input, '*', '*.log')],
    ['out', out],
  ])
  const started = await startPipeline(given, {
    shard: { index, count },
    params: given === (job as never) ? params : new Map(),
  })
  return await started.done
}

/** All copies, side by side. */
async function runAll(input: string, out: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => run(input, out, index, count)))
}

function digestOf({ rows, letters }: { readonly rows: readonly number[]; readonly letters: number }): string {
  return createHash('sha256')
    .update(JSON.stringify([rows, letters]))
    .digest('hex')
}

function paramsOf(input: string, out: string): readonly string[] {
  return ['--param', `input=${input}`, '--param', `out=${out}`]
}

/** Three copies, each killed up to four times soon after one of its first commits, until all have ended by themselves. */
async function overKills(file: string, params: readonly string[], random: () => number): Promise<void> {
  const copy = async (index: number): Promise<number> => {
    for (let kills = 0; ; kills += 1) {
      const argv = ['run', file, ...params, '--shard', `${index}/3`, '--epoch-ms', '5', '--log', 'json']
      let commits = 1 + Math.floor(random() * 3)
      const { code, stderr } = await sluice(argv, {
        onStart: (child) => {
          child.stderr?.on('data', async (text: string) => {
            commits -= text.split('"committed"').length - 1
            if (kills >= 4 || commits > 0) return
            await sleep(random() * 30)
            child.kill('SIGKILL')
          })
        },
      })
      if (code === 0) return kills
      if (code !== null) throw new Error(stderr)
    }
  }
  const kills = await Promise.all([copy(0), copy(1), copy(2)])
  ok(kills.some((count) => count > 0))
}

/** A table `numbers` with 40 parts, in PostgreSQL for that, in SQLite for others; gives where it is. */
async function tableFor(kind: string, rows: number): Promise<string> {
  const make = 'create table numbers (n integer primary key, part integer)'
  if (kind === 'PostgreSQL') {
    const database = await (server as PostgresServer).createDatabase()
    await (server as PostgresServer).query(database, make)
    const fill = `insert into numbers select n, n % 40 from generate_series(0, ${rows - 1}) as n`
    await (server as PostgresServer).query(database, fill)
    return (server as PostgresServer).url(database)
  }
  turn += 1
  const path = join(folder, `numbers${turn}.db`)
  const all = `with recursive a (n) as (select 0 union all select n + 1 from a where n < ${rows - 1})`
  executeIn(path, `${make}; ${all} insert into numbers select n, n % 40 from a`)
  return path
}

const KINDS = missingPostgres() ? ['SQLite', 'part files'] : ['SQLite', 'PostgreSQL', 'part files']

describe(`copies that share a pipeline (REPRO: SEED=${SEED} npm test)`, () => {
  for (const kind of KINDS) {
    it(`C120, C122: load what one process loads, whatever their number, while files appear and grow (${kind})`, async () => {
      const input = makeInput(12)
      const store = await storeOf(kind)
      const whole = await storeOf(kind)
      let [most, lines] = [12, 300]
      for (const count of kind === 'SQLite' ? [8, 12, 1, 3] : [3, 5, 1]) {
        const running = runAll(input, store.out, count)
        // Some of it is read by this run, some by the next.
        addLines(join(input, 'day'), most, 300, 0)
        for (let file = 0; file < 6; file += 1) addLines(join(input, 'day'), file, 50, lines)
        await running
        most += 1
        lines += 50
      }
      await runAll(input, store.out, 2)
      await run(input, whole.out, 0, 1)
      const [found, expected] = [await store.read(), await whole.read()]
      deepEqual(found, expected)
      equal(digestOf(found), digestOf(expected))
      equal(new Set(found.rows).size, found.rows.length)
      const inspector = await into(store.out).inspect?.('load')
      const { totals, shards } = (await inspector?.checkpoint()) ?? {}
      await inspector?.close()
      deepEqual([totals?.loaded, totals?.dead, shards?.length], [found.rows.length, found.letters, 2])
    })

    it(`C121: are killed at random and go on, each row once (${kind})`, async () => {
      const random = randomOf(`kills of ${kind}`)
      const input = makeInput(8, 2000)
      const store = await storeOf(kind)
      const whole = await storeOf(kind)
      await overKills(JOB, paramsOf(join(input, '*', '*.log'), store.out), random)
      await run(input, whole.out, 0, 1)
      const [found, expected] = [await store.read(), await whole.read()]
      deepEqual(found, expected)
      equal(digestOf(found), digestOf(expected))
    })

    it(`C121: are killed at random over ranges of a table, and load what one process loads (${kind})`, async () => {
      const random = randomOf(`kills over a table for ${kind}`)
      const input = await tableFor(kind, 80_000)
      const store = await storeOf(kind)
      const whole = await storeOf(kind)
      await overKills(TABLE_JOB, paramsOf(input, store.out), random)
      equal((await sluice(['run', TABLE_JOB, ...paramsOf(input, whole.out)])).code, 0)
      const [found, expected] = [await store.read(), await whole.read()]
      deepEqual([expected.rows.length, expected.letters], [79_200, 800])
      deepEqual(found, expected)
      equal(digestOf(found), digestOf(expected))
    })
  }

  it('C121: cannot run twice, and not beside copies of another number', async () => {
    const input = makeInput(4)
    const { out } = await storeOf('SQLite')
    const params = new Map([
      ['input', join(input, '*', '*.log')],
      ['out', out],
    ])
    const start = async (index: number, count: number) => {
      return await startPipeline(job, { params, shard: { index, count } })
    }
    const first = await start(1, 3)
    first.pause()
    await rejects(start(1, 3), {
      code: 'PIPELINE_HELD',
      message: /^Cannot start load as shard 1\/3: it is held by process /,
    })
    for (const [index, count] of [
      [1, 4],
      [0, 1],
    ] as const) {
      await rejects(start(index, count), {
        code: 'PIPELINE_HELD',
        message: /its shard 1\/3 is held by process .*; another number of copies can start once all have ended$/,
      })
    }
    const second = await start(2, 3)
    first.resume()
    await Promise.all([first.done, second.done])
  })

  it('C122: of a number that are over commit nothing more, should one wake', async () => {
    const { out } = await storeOf('SQLite')
    const open = async (index: number, count: number) => {
      return await sqliteSink<{ n: number }>(out, { table: 't', columns: { n: 'integer' } }).open({
        pipeline: 'load',
        shard: { index, count },
        leaseMs: 1,
      })
    }
    const totals = { ...NO_TOTALS }
    const commit = { positions: new Map(), totals, states: new Map() }
    const old = await open(0, 1)
    await old.commit({ ...commit, epoch: 1 })
    await sleep(10)
    const next = await open(0, 2)
    await rejects(async () => await old.commit({ ...commit, epoch: 2 }), { code: 'PIPELINE_HELD' })
    await next.commit({ ...commit, epoch: 1 })
    await old.close()
    await next.close()
  })

  it('C122, C126: are refused in another number where each has a store of its own', async () => {
    const input = makeInput(6)
    const { out } = await storeOf('SQLite')
    await run(input, out, 1, 3)
    await rejects(run(input, out, 1, 4), {
      code: 'CHECKPOINT_INVALID',
      message: /of its 3 copies, 1 have used this store \(1\/3\), and this is shard 1\/4 \(if all share this store/,
    })
    await run(input, out, 1, 3)
    const params = ['--param', `out=${out}`, '--param', `input=${input}/*/*.log`]
    const { stdout } = await sluice(['checkpoints', JOB, ...params])
    match(
      stdout,
      /^ {2}shard 0\/3: missing, it never started\n {2}shard 1\/3: epoch 1, by .*\n {2}shard 2\/3: missing, it never started$/m,
    )
    match((await sluice(['run', JOB, ...params, '--shard', '1/3'])).stdout, /^load 1\/3: finished in /)
    match(
      (await sluice(['top', JOB, ...params, '--shard', '1/3'])).stdout,
      /^load 1\/3: finished .*\n(?:.*\n)+ {2}3 shards \(2 missing\) {2}loaded \d+ {2}dead \d+\n {4}0\/3 {2}missing, it never started\n {4}1\/3 {2}loaded \d+ {2}dead \d+ {2}no run holds it\n {4}2\/3 {2}missing/,
    )
    // Letters are tried again by the copy that there is.
    const mended = ['dead-letters', JOB, 'replay', ...params, '--param', 'isMended=true']
    match((await sluice(mended)).stdout, /^\d+ replayed: \d+ loaded, 0 failed again$/m)
    await rejects(run(input, out, 1, 4), {
      code: 'CHECKPOINT_INVALID',
      message: /of its 3 copies, 1 have used this store/,
    })
    const reset = await sluice(['checkpoints', JOB, 'reset', '--yes', ...params])
    equal(reset.code, 0, reset.stderr)
    await run(input, out, 1, 4)
  })

  it('C123: go on under another path of the same folder, also in another number', async () => {
    const input = makeInput(9)
    const store = await storeOf('SQLite')
    const whole = await storeOf('SQLite')
    turn += 1
    const other = join(folder, `in${turn}`)
    cpSync(input, other, { recursive: true })
    let at = 280
    for (const [count, folders] of [
      [2, [input, other]],
      [3, [other, input, other]],
      [2, [other, other]],
      [1, [input]],
    ] as const) {
      for (const [index, from] of folders.entries()) await run(from, store.out, index, count)
      at += 20
      for (const from of [input, other])
        for (let file = 0; file < 9; file += 1) addLines(join(from, 'day'), file, 20, at)
    }
    await run(input, store.out, 0, 1)
    await run(input, whole.out, 0, 1)
    deepEqual((await store.read()).rows, (await whole.read()).rows)
  })

  it('C124: end where another copy has listed what they do not see, or what begins otherwise there', async () => {
    const [one, two] = [makeInput(5), makeInput(5)]
    writeFileSync(join(two, 'day', '3.log'), 'line 7 another\n')
    const { out } = await storeOf('SQLite')
    await run(one, out, 0, 2)
    await rejects(run(two, out, 1, 2), {
      code: 'SOURCE_DIFFERS',
      message: new RegExp(
        `^Cannot run load as shard 1/2: of "day/3\\.log#0-2000", shard 0/2 has listed "${join(one, 'day', '3.log')}#0-2000" \\(process .*, and "${join(two, 'day', '3.log')}#0-2000" begins with other bytes`,
      ),
    })
    const { out: logs } = await storeOf('SQLite')
    const own = [makeInput(5), makeInput(5)] as const
    for (const [at, input] of own.entries()) {
      writeFileSync(join(input, 'day', `host${at}.log`), numbered({ lines: 1, from: at }))
      for (let file = 0; file < 5; file += 1) rmSync(join(input, 'day', `${file}.log`))
    }
    await run(own[0], logs, 0, 2)
    await run(own[0], logs, 1, 2)
    // What was read may be gone; what nobody has read is missed.
    writeFileSync(join(own[0], 'day', 'more.log'), 'line 5\n')
    const owner = [0, 1].find((index) => isOfShard('day/more.log#0-2000', { index, count: 2 })) as number
    await run(own[0], logs, 1 - owner, 2)
    await rejects(run(own[1], logs, owner, 2), {
      code: 'SOURCE_DIFFERS',
      message: /this shard does not see it, and no shard has read it/,
    })
    await run(own[0], logs, owner, 2)
    await run(own[1], logs, 1 - owner, 2)
  })

  it('C124: say what copies at work have not seen, which nobody loads in this run', async () => {
    const input = makeInput(2)
    const { out, read } = await storeOf('SQLite')
    const params = new Map([
      ['input', join(input, '*', '*.log')],
      ['out', out],
    ])
    const first = await startPipeline(job, { params, shard: { index: 0, count: 2 } })
    first.pause()
    const name = Array.from({ length: 50 }, (_, n) => `more${n}.log`).find((one) => {
      return isOfShard(`day/${one}#0-2000`, { index: 0, count: 2 })
    }) as string
    writeFileSync(join(input, 'day', name), 'line 5000000\n')
    const notes: string[] = []
    const second = await startPipeline(job, {
      params,
      shard: { index: 1, count: 2 },
      onEvent: (event) => event.kind === 'noted' && notes.push(event.note),
    })
    match(notes.join(), new RegExp(`^1 split of other shards, such as ".*${name}#0-2000" of shard 0/2, appeared after`))
    first.resume()
    await Promise.all([first.done, second.done])
    equal((await read()).rows.includes(5_000_000), false)
    await runAll(input, out, 2)
    equal((await read()).rows.includes(5_000_000), true)
  })

  it('C125: are refused where one process would give something else, with the way out', async () => {
    const input = makeInput(1)
    const { out } = await storeOf('SQLite')
    const source = fileSource(join(input, '*', '*.log'), textLines())
    const shared = { from: source, into: sqliteSink<never>(out, { table: 't', key: ['n'] as never }) }
    const of = (change: object): Pipeline => pipeline('load', { ...shared, ...change } as never) as never
    const MANY = /does not need it, since .* each .* to one .*; start as many copies as you want without --shard, each /
    const ONE = /does not need it, since .*; start one copy without --shard/
    const refused: readonly (readonly [object, RegExp])[] = [
      [
        { flow: (lines: Flow<string>) => lines.uniq((line) => line) },
        /: uniq \(.*\) needs events of all shards; run it in one process/,
      ],
      [
        { flow: (lines: Flow<string>) => lines.merge(flow(source)) },
        /: another source \(.*\) needs events of all shards/,
      ],
      [{ from: valuesSource([1, 2]) }, /is read as a whole; run it in one process without --shard$/],
      [
        {
          into: fanOut(sqliteSink(out, { table: 't' }), { branches: { b: { into: sqliteSink(out, { table: 'b' }) } } }),
        },
        /: the branches of .* follow one checkpoint; run it in one process without --shard, or make a pipeline of each/,
      ],
      [{ from: rabbitmqSource('amqp://localhost/', textLines(), { queue: 'q', isExclusive: false }) }, MANY],
      [{ from: redisStreamSource('redis://localhost', textLines(), { stream: 's', group: 'g' }) }, MANY],
      [{ from: rabbitmqSource('amqp://localhost/', textLines(), { queue: 'q' }) }, ONE],
      [{ from: redisStreamSource('redis://localhost', textLines(), { stream: 's' }) }, ONE],
      [{ from: kafkaSource('kafka://localhost', textLines(), { topic: 't' }) }, ONE],
      [{ from: natsSource('nats://localhost', textLines(), { stream: 's' }) }, ONE],
    ]
    for (const [change, message] of refused) {
      await rejects(run(input, out, 2, 8, of(change)), { code: 'CONFIG_INVALID', message })
    }
    const same = fileSource([join(input, 'day', '0.log'), join(makeInput(1), 'day', '0.log')], textLines())
    await rejects(run(input, out, 0, 2, of({ from: same })), {
      code: 'CONFIG_INVALID',
      message: /both have the same path below/,
    })
    for (const text of ['8/8', '-1/2', '1', '1/0', 'a/b']) {
      const { code, stderr } = await sluice(['run', JOB, `--shard=${text}`])
      equal(code, 64, stderr)
      match(stderr, /--shard takes a number from 0 and the number of copies/)
    }
  })

  for (const kind of KINDS) {
    it(`C127: are checked one by one: which parts are whose, and what a run would refuse (${kind})`, async () => {
      const input = makeInput(6)
      const { out } = await storeOf(kind)
      const check = async (shard: string, from = input, ...more: readonly string[]) => {
        return await sluiceHere(['check', JOB, ...paramsOf(join(from, '*', '*.log'), out), '--shard', shard, ...more])
      }
      const parts: string[] = []
      for (const index of [0, 1, 2]) {
        const { stdout } = await check(`${index}/3`)
        const own = [...stdout.matchAll(/^ {2}part {2}(.*)$/gm)].map(([, id = '']) => id)
        match(stdout, new RegExp(`^shard ${index}/3 reads ${own.length} parts?, .*\n`, 'm'))
        match(stdout, /^into .*: nothing has been committed yet$/m)
        parts.push(...own)
      }
      const all = await fileSource(join(input, '*', '*.log'), textLines(), { splitBytes: 2000 }).splits()
      deepEqual(parts.sort(), all.map(({ id }) => id).sort())
      const [first = ''] = (await check('0/3', input, '--json')).stdout.split('\n')
      deepEqual(JSON.parse(first).shard, '0/3')
      if (kind !== 'PostgreSQL') equal(existsSync(out), false)
      await run(input, out, 0, 3)
      match((await check('0/3')).stdout, /^into .*: continuing after epoch 1$/m)
      match((await check('1/3')).stdout, /^into .*: nothing has been committed yet$/m)
      const other = makeInput(5)
      const differs = await check('1/3', other)
      equal(differs.code, 66, differs.stderr)
      match(differs.stderr, /^sluice: Cannot run load as shard 1\/3: .* this shard does not see it/)
      const another = await check('1/4')
      match(another.stderr, /of its 3 copies, 1 have used this store/)
      // A check publishes nothing.
      await run(input, out, 1, 3)
    })
  }

  for (const kind of ['SQLite', 'PostgreSQL', 'DuckDB']) {
    it(`C120: share a table of ${kind} by ranges, whatever their number, while rows come`, {
      skip: kind === 'PostgreSQL' && missingPostgres(),
    }, async () => {
      turn += 1
      const path = join(folder, `from${turn}.${kind === 'SQLite' ? 'db' : 'duckdb'}`)
      const database = kind === 'PostgreSQL' ? await (server as PostgresServer).createDatabase() : ''
      const execute = async (sql: string): Promise<void> => {
        if (kind === 'PostgreSQL') await (server as PostgresServer).query(database, sql)
        else if (kind === 'SQLite') executeIn(path, sql)
        else await executeInDuckdb(path, sql)
      }
      const insert = async (from: number, to: number, own: string): Promise<void> => {
        const rows = Array.from({ length: to - from }, (_, at) => `(${from + at}, ${(from + at) % 40}, '${own}')`)
        await execute(`insert into numbers values ${rows.join(', ')}`)
      }
      await execute('create table numbers (n integer, part integer, own text)')
      await insert(0, 900, 'x')
      await execute('insert into numbers values (-1, null, null)')
      const options = { table: 'numbers', ranges: { column: 'part', at: [10, 20, 35] }, cursor: 'n' } as const
      const texts = { table: 'numbers', ranges: { column: 'own', at: ["o'x", 'y'] } } as const
      type Numbered = { readonly n: number }
      const source = (given: typeof options | typeof texts) => {
        if (kind === 'PostgreSQL') return postgresSource<Numbered>((server as PostgresServer).url(database), given)
        return kind === 'SQLite' ? sqliteSource<Numbered>(path, given) : duckdbSource<Numbered>(path, given)
      }
      equal((await source(options).splits()).length, 4)
      const store = await storeOf('SQLite')
      const copy = pipeline('load', {
        from: source(options),
        flow: (rows) => rows.map(({ n }) => ({ n: Number(n) })),
        into: sqliteSink<Numbered>(store.out, { table: 't', columns: { n: 'integer' } }),
      }) as unknown as Pipeline
      let most = 900
      for (const count of [3, 2, 1]) {
        for (let index = 0; index < count; index += 1) await run('', store.out, index, count, copy)
        await insert(most, most + 100, 'y')
        most += 100
      }
      await run('', store.out, 0, 1, copy)
      const all = [-1, ...Array.from({ length: most }, (_, n) => n)]
      deepEqual((await store.read()).rows, all)
      const second = await storeOf('SQLite')
      const byText = pipeline('load', {
        from: source(texts),
        flow: (rows) => rows.map(({ n }) => ({ n: Number(n) })),
        into: sqliteSink<Numbered>(second.out, { table: 't', columns: { n: 'integer' } }),
      }) as unknown as Pipeline
      for (const index of [0, 1]) await run('', second.out, index, 2, byText)
      deepEqual((await second.read()).rows, all)
      throws(() => sqliteSource(path, { table: 'numbers', ranges: { column: 'n', at: [] } }), {
        code: 'CONFIG_INVALID',
      })
      throws(() => sqliteSource(path, { table: 'numbers', ranges: { column: 'n', at: ['\\'] } }), {
        code: 'CONFIG_INVALID',
      })
    })
  }
})

function executeIn(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

async function executeInDuckdb(path: string, sql: string): Promise<void> {
  const session = await Session.open(path)
  await session.run(sql)
  session.close()
}

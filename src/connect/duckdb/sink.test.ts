import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { type ErrorCode, isSluiceError } from '../../base/errors.ts'
import { tempFolder } from '../../testing/temp-folder.ts'
import { times } from '../../testing/times.ts'
import { type Batch, batchOf } from '../batch.ts'
import { jsonText } from '../kits/json/line.ts'
import { deadLetter } from '../origin.ts'
import type { Checkpoint, SinkOptions } from '../sink.ts'
import { NO_TOTALS } from '../totals.ts'
import { Session } from './connection.ts'
import { type DuckdbSinkOptions, duckdbSink } from './sink.ts'

const folder = tempFolder('sluice-duckdb-')
let path = ''
let fileSource = 0
beforeEach(() => {
  fileSource += 1
  path = join(folder, `${fileSource}.duckdb`)
})

const COLUMNS = { id: 'integer', text: 'text' } as const
type Opening = Partial<DuckdbSinkOptions> & Partial<SinkOptions>

const open = ({ pipeline = 'test', owner, leaseMs, ...options }: Opening = {}) =>
  duckdbSink(path, { table: 't', columns: COLUMNS, ...options }).open({
    pipeline,
    ...(owner === undefined ? {} : { owner }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  })

const events = (...rows: readonly unknown[]): Batch =>
  batchOf(rows, { at: (at) => ({ source: 'a.log', line: at + 1, offset: at * 10, raw: `line ${at + 1}` }) })

const checkpoint = (epoch: number, more: Partial<Checkpoint> = {}): Checkpoint => ({
  epoch,
  positions: new Map([['a.log', epoch]]),
  states: new Map(),
  totals: { ...NO_TOTALS, read: epoch, loaded: epoch },
  ...more,
})

async function query(sql: string): Promise<unknown[]> {
  const session = await Session.open(path)
  const rows = await session.all(sql)
  session.close()
  return rows.map((row) => Object.values(row).map((value) => (typeof value === 'bigint' ? Number(value) : value)))
}

async function execute(sql: string): Promise<void> {
  const session = await Session.open(path)
  await session.run(sql)
  session.close()
}

const failsWith = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  ok(isSluiceError(error, code), String(error))
  match(error.message, message)
  return true
}

describe('the sink for DuckDB', () => {
  it('commits rows, dead letters, positions and states together, or nothing of them', async () => {
    const writer = await open()
    equal(writer.checkpoint, undefined)
    await writer.write(events({ id: 1, text: 'one' }))
    await writer.writeDeadLetters([deadLetter({ source: 'a.log', line: 2, offset: 10, raw: 'raw\0' }, 'map', 'no')])
    await writer.commit(checkpoint(1, { states: new Map([['uniq/0', Uint8Array.of(1, 0, 2)]]) }))
    await writer.write(events({ id: 2, text: 'two' }))
    await writer.writeDeadLetters([deadLetter({ source: 'a.log', line: 3, offset: 20, raw: '' }, 'map', 'no')])
    await writer.close()
    deepEqual(await query('select * from t'), [[1, 'one']])
    deepEqual(await query('select file, line, step, reason, raw, epoch from dead_letters'), [
      ['a.log', 2, 'map', 'no', 'raw\\x00', 1],
    ])
    const next = await open()
    deepEqual(next.checkpoint, checkpoint(1, { states: new Map([['uniq/0', Uint8Array.of(1, 0, 2)]]) }))
    await next.commit(
      checkpoint(2, { positions: new Map([['b.log', 1]]), states: new Map([['uniq/0', new Uint8Array()]]) }),
    )
    await next.close()
    const last = await open()
    deepEqual([...(last.checkpoint?.positions.keys() ?? [])].sort(), ['a.log', 'b.log'])
    deepEqual([...(last.checkpoint?.states ?? [])], [])
    await last.close()
  })

  it('adds rows without a key, and overwrites by one: the last of a batch counts', async () => {
    const plain = await open({ table: 'plain', pipeline: 'plain' })
    await plain.write(events({ id: 1, text: 'a' }, { id: 1, text: 'a' }))
    await plain.commit(checkpoint(1))
    await plain.close()
    const keyed = await open({ key: ['id'] })
    await keyed.write(events({ id: 1, text: 'a' }, { id: 2, text: 'b' }, { id: 1, text: 'c' }))
    await keyed.write(events({ id: 2, text: 'd' }))
    await keyed.commit(checkpoint(1))
    await keyed.close()
    deepEqual(await query('select * from plain'), [
      [1, 'a'],
      [1, 'a'],
    ])
    deepEqual(await query('select * from t order by id'), [
      [1, 'c'],
      [2, 'd'],
    ])
  })

  it('gives values back as they were', async () => {
    const columns = { i: 'integer', r: 'real', s: 'text', b: 'boolean', t: 'time', j: 'json' } as const
    const row = fc.record({
      i: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      r: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      s: fc.option(fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed())),
      b: fc.option(fc.boolean()),
      t: fc.option(fc.integer({ min: -62_000_000_000_000, max: 253_000_000_000_000 })),
      j: fc.option(fc.jsonValue()),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        fileSource += 1
        path = join(folder, `${fileSource}.duckdb`)
        const writer = await open({ columns })
        deepEqual(await writer.write(events(...rows)), [])
        await writer.commit(checkpoint(1))
        await writer.close()
        const session = await Session.open(path)
        const found = await session.all('select i, r, s, b, epoch_ms(t) as t, j from t')
        session.close()
        const expected = rows.map(({ i, r, s, b, t, j }) => {
          return [i, r, s, b, t === null ? null : BigInt(t), j === null ? null : jsonText(j)]
        })
        deepEqual(
          found.map((one) => Object.values(one)),
          expected,
        )
      }),
      { numRuns: times(20) },
    )
  })

  it('S3: gives back texts that have marks between values in them', async () => {
    const text = fc.string({ unit: fc.constantFrom('\x1d', '\x1e', '\x1f', 'a'), maxLength: 3 })
    const row = fc.record({ id: fc.nat(5), a: fc.option(text), b: fc.option(text) })
    const batches = fc.array(fc.array(row, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 })
    const columns = { id: 'integer', a: 'text', b: 'text' } as const
    await fc.assert(
      fc.asyncProperty(batches, fc.boolean(), async (given, isKeyed) => {
        fileSource += 1
        path = join(folder, `${fileSource}.duckdb`)
        const writer = await open({ columns, ...(isKeyed ? { key: ['id'] } : {}) })
        for (const rows of given) deepEqual(await writer.write(events(...rows)), [])
        await writer.commit(checkpoint(1))
        await writer.close()
        const rows = given.flat().map(({ id, a, b }) => [BigInt(id), a, b] as const)
        const last = isKeyed ? [...new Map(rows.map((one) => [one[0], one])).values()] : rows
        const byText = (one: unknown, two: unknown) => (String(one) < String(two) ? -1 : 1)
        deepEqual(
          (await query('select id, a, b from t'))
            .map((found) => (found as unknown[]).map((value, at) => (at === 0 ? BigInt(value as number) : value)))
            .sort(byText),
          [...last].sort(byText),
        )
      }),
      { numRuns: times(20) },
    )
  })

  it('refuses JSON that DuckDB takes for none, and takes what looks like it', async () => {
    await execute('create table t (id bigint, j json)')
    const writer = await open({ columns: { id: 'integer', j: 'json' } })
    const values = ['\ud83d', '\\ud83d', '\ud83d\ude00', { '\ude00': 1 }]
    const letters = await writer.write(events(...values.map((j, id) => ({ id, j }))))
    deepEqual(
      letters.map(({ reason }) => reason),
      [
        'column j cannot hold half of a surrogate pair in "\\ud83d"',
        'column j cannot hold Object as JSON: half of a surrogate pair in it would not come back',
      ],
    )
    await writer.commit(checkpoint(1))
    await writer.close()
    deepEqual(await query('select id, j from t order by id'), [
      [1, '"\\\\ud83d"'],
      [2, '"\ud83d\ude00"'],
    ])
  })

  it('S2, S3: takes hostile names and values as what they are', async () => {
    await execute('create table y (a integer)')
    const table = 'x"; drop table y; --'
    const rows = ['\\.', '\\N', "'; drop table y; --", 'a\tb\nc', '"'].map((text, id) => ({ id, 'a "b"': text }))
    const writer = await open({
      table,
      columns: { id: 'integer', 'a "b"': 'text' },
      key: ['id'],
      deadLetters: 'order by',
    })
    await writer.write(events(...rows))
    await writer.commit(checkpoint(1))
    await writer.close()
    deepEqual(
      await query(`select "a ""b""" from "${table.replaceAll('"', '""')}" order by id`),
      rows.map((row) => [row['a "b"']]),
    )
    deepEqual(await query('select count(*) from y'), [[0]])
  })

  it('F10: refuses only the rows that the table refuses, wherever they stand', async () => {
    await execute(
      'create table t (id bigint primary key, text varchar not null check (length(text) < 5), n integer unique)',
    )
    await execute("insert into t values (100, 'old', 7)")
    const writer = await open({ columns: { ...COLUMNS }, key: ['id'] })
    const letters = await writer.write(
      events(
        { id: 1, text: null },
        { id: 2, text: 'fine' },
        { id: 3, text: 'too long' },
        { id: null, text: 'x' },
        { id: 4, text: 5 },
      ),
    )
    deepEqual(
      letters.map(({ origin, reason }) => [origin.line, reason]),
      [
        [1, 'column text must not be null'],
        [4, 'column id must not be null'],
        [5, 'column text takes text: found 5'],
        [3, 'the table rejects it: CHECK((length("text") < 5))'],
      ],
    )
    await writer.commit(checkpoint(1))
    await writer.close()
    deepEqual(await query('select id from t order by id'), [[2], [100]])
  })

  it('F10: refuses rows that another row stands in the way of', async () => {
    await execute('create table t (id bigint, text varchar unique)')
    await execute("insert into t values (100, 'old')")
    const writer = await open()
    const letters = await writer.write(
      events({ id: 1, text: 'a' }, { id: 2, text: 'old' }, { id: 3, text: 'a' }, { id: 4, text: 'b' }),
    )
    deepEqual(letters.map(({ origin }) => origin.line).sort(), [2, 3])
    await writer.commit(checkpoint(1))
    await writer.close()
    deepEqual(await query('select id from t order by id'), [[1], [4], [100]])
  })

  it('says that memory is short, and not what came of it', async () => {
    const writer = await open({ memory: '20MB' })
    const many = Array.from({ length: 2048 }, (_, id) => ({ id, text: `${id}`.repeat(3000) }))
    // The rows go in while the letter is on its way.
    await writer.write(events(...many))
    const origin = { source: 'a.log', line: 1, offset: 0, raw: 'x' }
    await rejects(
      async () => await writer.writeDeadLetters([deadLetter(origin, 'test', 'no reason')]),
      failsWith(
        'STORAGE_FAILED',
        /^Cannot write dead letters to ".*": Out of Memory Error: .* \(see the option memory\)$/,
      ),
    )
    await writer.close()
  })

  it('refuses a table that does not fit, and extends one where it is asked to', async () => {
    await execute('create table t (id bigint)')
    await rejects(open(), failsWith('SINK_MISMATCH', /it has no column text/))
    await rejects(open({ key: ['id'] }), failsWith('SINK_MISMATCH', /./))
    const writer = await open({ schema: 'evolve' })
    await writer.write(events({ id: 1, text: 'a' }))
    await writer.commit(checkpoint(1))
    await writer.close()
    deepEqual(await query('select * from t'), [[1, 'a']])
    await execute('create table other (id varchar, text varchar)')
    await rejects(
      open({ table: 'other' }),
      failsWith('SINK_MISMATCH', /its column id is VARCHAR, rows have integer for it/),
    )
  })

  it('C30, C32: is held by one run; one that gave no sign of life is fenced off', async () => {
    const zombie = await open()
    await rejects(open(), failsWith('PIPELINE_HELD', /^Cannot start test: it is held by process /))
    await zombie.commit(checkpoint(1))
    const other = await open({ leaseMs: -1 })
    await rejects(async () => zombie.commit(checkpoint(2)), failsWith('PIPELINE_HELD', /fenced off/))
    await zombie.close()
    await other.commit(checkpoint(2))
    await other.close()
    const next = await open()
    equal(next.checkpoint?.epoch, 2)
    await next.close()
  })

  it('F1, F35: leaves what was committed when its process is killed; another process is told who has the file', async () => {
    const script = `
      import { batchOf } from ${JSON.stringify(new URL('../batch.ts', import.meta.url).href)}
      import { duckdbSink } from ${JSON.stringify(new URL('./sink.ts', import.meta.url).href)}
      const writer = await duckdbSink(${JSON.stringify(path)}, { table: 't', columns: { id: 'integer', text: 'text' } }).open({ pipeline: 'test' })
      const rows = (from, to) => batchOf(Array.from({ length: to - from }, (_, i) => ({ id: from + i, text: 'x'.repeat(100) })),
        { at: (i) => ({ source: 'a', line: 0, offset: from + i, raw: '' }) })
      await writer.write(rows(0, 5000))
      await writer.commit({ epoch: 1, positions: new Map([['a', 5000]]), states: new Map(), totals: ${JSON.stringify(NO_TOTALS)} })
      await writer.write(rows(5000, 60000))
      process.stdout.write('written')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--conditions=sluice-source', '--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    await rejects(open(), failsWith('PIPELINE_HELD', new RegExp(`process ${child.pid} has it open`)))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const writer = await open()
    deepEqual(writer.checkpoint?.positions, new Map([['a', 5000]]))
    await writer.close()
    deepEqual(await query('select count(*), max(id) from t'), [[5000, 4999]])
  })
})

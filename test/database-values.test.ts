import { deepEqual, equal, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { csvSink, csvSource, ndjsonSink, pipeline, type Source, sqliteSink, sqliteSource, startPipeline } from 'sluice'
import { duckdbSink, duckdbSource } from 'sluice/duckdb'
import { postgresSource } from 'sluice/postgres'
import { Session } from '../src/connect/duckdb/connection.ts'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { times } from '../src/testing/times.ts'
import { rowsIn } from './support/part-files.ts'
import { missingPostgres, PostgresServer } from './support/postgres.ts'
import { SEED } from './support/seed.ts'

const folder = tempFolder('sluice-values-')

/** What a source gives of each row, or why it refuses it. */
async function given(source: Source<unknown>): Promise<unknown[]> {
  const found: unknown[] = []
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined)
    for (
      let entries = await readEntries(reader, 1000);
      entries !== undefined;
      entries = await readEntries(reader, 1000)
    ) {
      for (const entry of entries) found.push(entry.kind === 'dead' ? `dead: ${entry.reason}` : entry.value)
    }
    await reader.close()
  }
  return found
}

const bigints = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
/** Digits of a decimal number, as a database writes it that keeps none that are not needed before the point. */
const decimal = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }), fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }))
  .map(([isBelow, whole, fraction]) => {
    const digits = `${whole}.${String(fraction).padStart(18, '0')}`
    return isBelow && whole + fraction > 0n ? `-${digits}` : digits
  })
/** Microseconds since 1970, in the years from 1 to 9999, and such that are whole milliseconds. */
const micros = fc.oneof(
  fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
  fc.bigInt({ min: -62_135_596_800_000n, max: 253_402_300_799_999n }).map((ms) => ms * 1000n),
)
const wholeJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.bigInt(-(10n ** 25n), 10n ** 25n).map(String),
    fc.constantFrom('null', 'true', '"\\u00e9 1234567890123456789"'),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  object: fc
    .array(tie('value'), { maxLength: 3 })
    .map((items) => `{${items.map((item, at) => `"k${at}": ${item}`).join(', ')}}`),
})).value as fc.Arbitrary<string>

/** JSON as the databases write it, with whole numbers as they were. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? `${value}` : JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}: ${written(one)}`)
    .join(', ')}}`
}

const rowOf = fc.record({
  whole: fc.bigInt(bigints),
  digits: decimal,
  at: micros,
  json: wholeJson,
  real: fc.double({ noNaN: true }),
  bytes: fc.uint8Array({ maxLength: 9 }),
})
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
/** ISO 8601 in UTC with as many digits as it takes. */
function iso(us: bigint): string {
  const rest = ((us % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = new Date(Number((us - rest) / 1000n)).toISOString().slice(0, 19)
  const digits = String(rest).padStart(6, '0').replace(/0+$/, '')
  return `${seconds}${digits === '' ? '' : `.${digits}`}Z`
}
const plain = (whole: bigint) => (Number.isSafeInteger(Number(whole)) ? Number(whole) : whole)
const MOMENTS = ['infinity', '-infinity']

describe(`values of databases (REPRO: SEED=${SEED} npm test)`, () => {
  describe('of PostgreSQL', { skip: missingPostgres() }, () => {
    let server: PostgresServer
    let url = ''
    let database = ''
    before(async () => {
      server = await PostgresServer.start()
      database = await server.createDatabase()
      url = server.url(database)
    })
    after(() => server.stop())

    it('R8: come back as they were', async () => {
      const property = fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 40 }), async (rows) => {
        await server.query(
          database,
          'drop table if exists v; create table v (n int, a int8, b numeric(38, 18), c timestamptz, d jsonb, e float8, f bytea, g int8[])',
        )
        const epoch = "timestamptz '1970-01-01Z'"
        for (const [at, { whole, digits, at: us, json, real, bytes }] of rows.entries()) {
          const moment = `${epoch} + interval '${us / 1_000_000n} s' + interval '${us % 1_000_000n} us'`
          await server.query(
            database,
            `insert into v values (${at}, ${whole}, '${digits}', ${moment}, $1, $2, '\\x${hex(bytes)}', array[${whole}, null])`,
            [json, String(real)],
          )
        }
        const source = (times: 'text' | 'us') =>
          postgresSource(url, { table: 'v', cursor: 'n', bigints: 'bigint', times })
        const found = (await given(source('text'))) as Record<string, unknown>[]
        const texts = await server.query(database, 'select d::text as d from v order by n')
        for (const [at, { whole, digits, at: us, real, bytes }] of rows.entries()) {
          const { a, b, c, d, e, f, g } = found[at] ?? {}
          deepEqual([a, b, c, e, g], [plain(whole), digits, iso(us), real, `{${whole},NULL}`])
          deepEqual([written(d), f], [texts[at]?.d, Uint8Array.from(bytes)])
        }
        deepEqual(
          ((await given(source('us'))) as { c: unknown }[]).map(({ c }) => c),
          rows.map(({ at }) => plain(at)),
        )
      })
      await fc.assert(property, { seed: SEED, numRuns: times(4), endOnFailure: true })
    })

    it('R7: and moments without an end, before the first year, or beyond what dates reach, as text or not at all', async () => {
      const moments = [...MOMENTS, '0044-03-15 12:00:00.000001 BC', '290000-01-01']
      const query = `select unnest(array[${moments.map((moment) => `'${moment}'`).join(', ')}]::timestamptz[]) as at`
      deepEqual(
        (await given(postgresSource(url, { query }))).map((row) => (row as { at: unknown }).at),
        ['infinity', '-infinity', '0044-03-15 12:00:00.000001+00 BC', '290000-01-01 00:00:00+00'],
      )
      const refused = await given(postgresSource(url, { query, columns: { at: 'time' } }))
      equal(refused.length, 4)
      ok(
        refused.every((found) => String(found).startsWith('dead: column "at": ')),
        refused.join('\n'),
      )
    })

    it('R8: reach sinks with their types: decimals into DuckDB, SQLite and files without a rounding', async () => {
      const [one, two] = ['12345678901234567890.123456789', '-0.000000001']
      await server.query(
        database,
        `create table d (id int primary key, x numeric(38, 9), b bytea, j jsonb); insert into d values (1, ${one}, '\\x00ff', '[1]'), (2, ${two}, null, null)`,
      )
      const at = (name: string) => join(folder, name)
      const load = async (into: Parameters<typeof pipeline>[1]['into'], query = 'select * from d') => {
        const job = pipeline('copy', { from: () => postgresSource(url, { query, cursor: 'id' }), into })
        const { run } = await (await startPipeline(job)).done
        deepEqual([run.loaded, run.dead], [2, 0])
      }
      await load(() => duckdbSink(at('a.duckdb'), { table: 'd' }))
      const session = await Session.open(at('a.duckdb'))
      deepEqual(await session.all('select x::varchar as x, typeof(x) as t, typeof(b) as b from d order by id'), [
        { x: one, t: 'DECIMAL(38,9)', b: 'BLOB' },
        { x: two, t: 'DECIMAL(38,9)', b: 'BLOB' },
      ])
      session.close()
      await load(() => sqliteSink(at('a.db'), { table: 'd' }))
      const db = new DatabaseSync(at('a.db'))
      deepEqual(
        db
          .prepare('select x from d order by id')
          .all()
          .map(({ x }) => x),
        [one, two],
      )
      db.close()
      // NDJSON and CSV have no form for bytes.
      await load(() => ndjsonSink(at('nd')), 'select id, x from d')
      deepEqual(
        rowsIn(at('nd')).map(({ x }) => x),
        [one, two],
      )
      await load(() => csvSink(at('csv')), 'select id, x from d')
      deepEqual(await given(csvSource(at('csv/*.csv'), { columns: { id: 'integer', x: 'decimal' } })), [
        { id: 1, x: one },
        { id: 2, x: two },
      ])
      deepEqual(await given(duckdbSource(at('a.duckdb'), { query: 'select x from d order by id' })), [
        { x: one },
        { x: two },
      ])
      deepEqual(await given(sqliteSource(at('a.db'), { query: 'select x from d order by id' })), [
        { x: one },
        { x: two },
      ])
    })
  })

  it('R8: of DuckDB come back as they were', async () => {
    const path = join(folder, 'values.duckdb')
    const property = fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 40 }), async (rows) => {
      const session = await Session.open(path)
      await session.run(
        'create or replace table v (n int, a bigint, b decimal(38, 18), c timestamptz, d json, e double, f blob, g hugeint, h decimal(38, 18)[])',
      )
      for (const [at, { whole, digits, at: us, json, real, bytes }] of rows.entries()) {
        const blob = bytes.length === 0 ? "''::blob" : `unhex('${hex(bytes)}')`
        await session.run(
          `insert into v values (${at}, ${whole}, '${digits}', make_timestamptz(${us}), $1, $2::double, ${blob}, ${whole}::hugeint * 1000003, ['${digits}'])`,
          [json, String(real).replace('Infinity', 'inf')],
        )
      }
      session.close()
      const source = (times: 'text' | 'us') => duckdbSource(path, { table: 'v', cursor: 'n', bigints: 'bigint', times })
      const found = (await given(source('text'))) as Record<string, unknown>[]
      for (const [at, { whole, digits, at: us, json, real, bytes }] of rows.entries()) {
        const { a, b, c, d, e, f, g, h } = found[at] ?? {}
        deepEqual([a, b, c, e, g, h], [plain(whole), digits, iso(us), real, plain(whole * 1000003n), [digits]])
        deepEqual([written(d), f], [json.replaceAll('\\u00e9', 'é').replaceAll('-0', '-0'), Uint8Array.from(bytes)])
      }
      deepEqual(
        ((await given(source('us'))) as { c: unknown }[]).map(({ c }) => c),
        rows.map(({ at }) => plain(at)),
      )
    })
    await fc.assert(property, { seed: SEED, numRuns: times(4), endOnFailure: true })
  })

  it('R8: of SQLite come back as they were, whatever their column was declared with', async () => {
    const path = join(folder, 'values.db')
    const property = fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 40 }), async (rows) => {
      const db = new DatabaseSync(path)
      db.exec(
        'drop table if exists v; create table v (n integer, a integer, b text, c real, d blob, e decimal(38, 18))',
      )
      const insert = db.prepare('insert into v values (?, ?, ?, ?, ?, ?)')
      for (const [at, { whole, digits, real, bytes }] of rows.entries())
        insert.run(at, whole, digits, real, bytes, whole)
      db.close()
      const found = (await given(sqliteSource(path, { table: 'v', cursor: 'n' }))) as Record<string, unknown>[]
      for (const [at, { whole, digits, real, bytes }] of rows.entries()) {
        deepEqual(found[at], { n: at, a: plain(whole), b: digits, c: real, d: Uint8Array.from(bytes), e: plain(whole) })
      }
    })
    await fc.assert(property, { seed: SEED, numRuns: times(4), endOnFailure: true })
  })
})

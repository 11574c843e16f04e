import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { isSluiceError } from '../../base/errors.ts'
import { loadRows } from '../../testing/load-rows.ts'
import { rowsIn } from '../../testing/rows-in.ts'
import { times } from '../../testing/times.ts'
import { batchOfTracked } from '../batch.ts'
import { jsonText } from '../kits/json/line.ts'
import { type Tracked, tracked } from '../origin.ts'
import { NO_TOTALS } from '../totals.ts'
import { type SqliteSinkOptions, sqliteSink } from './sink.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  path = join(folder, 'out.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A row made from the record at an offset. */
function event(value: unknown, offset = 0): Tracked<unknown> {
  return tracked(value, { source: 'a.log', line: offset + 1, offset, raw: String(offset) })
}

const load = (options: SqliteSinkOptions, ...batches: readonly (readonly unknown[])[]) =>
  loadRows(sqliteSink(path, options), batches)

const query = (sql: string) => rowsIn(path, sql)

describe('the options of sqlite', () => {
  const isRefused = (error: unknown) => isSluiceError(error, 'CONFIG_INVALID')

  it('are checked when the sink is described', () => {
    throws(() => sqliteSink('', { table: 't' }), isRefused)
    throws(() => sqliteSink('a\0b', { table: 't' }), isRefused)
    throws(() => sqliteSink(':memory:', { table: 't' }), isRefused)
    throws(() => sqliteSink(path, { table: '' }), isRefused)
    throws(() => sqliteSink(path, { table: 'sqlite_x' }), isRefused)
    throws(() => sqliteSink(path, { table: 't', deadLetters: 'T' }), isRefused)
    throws(() => sqliteSink(path, { table: 't', deadLetters: 'sluice_x' }), isRefused)
    throws(() => sqliteSink(path, { table: 't', key: [] }), isRefused)
    throws(() => sqliteSink(path, { table: 't', columns: {} }), isRefused)
    throws(() => sqliteSink(path, { table: 't', columns: { a: 'text' }, key: ['b'] }), isRefused)
    throws(() => sqliteSink(path, { table: 't', columns: { a: 'text', A: 'text' } }), isRefused)
    throws(() => sqliteSink(path, { table: 't', columns: { _part: 'text' } }), isRefused)
    throws(() => sqliteSink(path, { table: 't', columns: { a: 'blob' as 'text' } }), RangeError)
    throws(() => sqliteSink(path, { tabel: 't' } as unknown as SqliteSinkOptions), TypeError)
    deepEqual(readdirSync(folder), [])
  })

  it('give the sink its title', () => {
    const sink = sqliteSink('out.db', { table: 'requests' })
    deepEqual([sink.kind, sink.title, sink.guarantee], ['sqlite', 'table requests in out.db', 'exactly-once'])
  })
})

describe('the rows of sqlite', () => {
  it('are stored by the type of their column', async () => {
    const columns = { a: 'text', b: 'integer', c: 'real', d: 'boolean', e: 'time', f: 'json' } as const
    const row = { a: 'ü', b: 9007199254740991, c: 1.5, d: true, e: new Date(5), f: { g: [1] } }
    deepEqual(await load({ table: 't', columns, key: ['a'] }, [row, { a: 'nothing' }]), [])
    deepEqual(query('select *, typeof(b) as type from t order by a desc'), [
      { a: 'ü', b: 9007199254740991, c: 1.5, d: 1, e: 5, f: '{"g":[1]}', type: 'integer' },
      { a: 'nothing', b: null, c: null, d: null, e: null, f: null, type: 'null' },
    ])
  })

  it('overwrite those of the same key, also within one batch', async () => {
    const columns = { id: 'integer', n: 'text' } as const
    await load(
      { table: 't', columns, key: ['id'] },
      [
        { id: 1, n: 'a' },
        { id: 2, n: 'b' },
        { id: 1, n: 'c' },
      ],
      [{ id: 2 }],
    )
    deepEqual(query('select * from t order by id'), [
      { id: 1, n: 'c' },
      { id: 2, n: null },
    ])
  })

  it('may be nothing but their key', async () => {
    await load({ table: 't', columns: { a: 'text', b: 'integer' }, key: ['a', 'b'] }, [
      { a: 'x', b: 1 },
      { a: 'x', b: 1 },
    ])
    deepEqual(query('select * from t'), [{ a: 'x', b: 1 }])
  })

  it('C60: are told apart by place and part where there is no key', async () => {
    const writer = await sqliteSink<unknown>(path, { table: 't', columns: { n: 'integer' } }).open({ pipeline: 'test' })
    const { origin } = event(undefined, 7)
    const [first, second, third] = [1, 2, 3].map((part) => ({ ...origin, part, stride: 4 }))
    await writer.write(
      batchOfTracked([event({ n: 1 }, 5), tracked({ n: 2 }, first ?? origin), tracked({ n: 4 }, third ?? origin)]),
    )
    await writer.write(batchOfTracked([event({ n: 5 }, 8), tracked({ n: 3 }, second ?? origin)]))
    await writer.commit({ epoch: 1, positions: new Map(), states: new Map(), totals: NO_TOTALS })
    await writer.close()
    deepEqual(query('select n, _source, _offset, _part from t order by n'), [
      { n: 1, _source: 'a.log', _offset: 5, _part: 0 },
      { n: 2, _source: 'a.log', _offset: 7, _part: 1 },
      { n: 3, _source: 'a.log', _offset: 7, _part: 2 },
      { n: 4, _source: 'a.log', _offset: 7, _part: 3 },
      { n: 5, _source: 'a.log', _offset: 8, _part: 0 },
    ])
  })

  it('are there once when they are written twice, with a key and without', async () => {
    const rows = [{ id: 1 }, { id: 2 }, { id: 3 }]
    await load({ table: 'keyed', key: ['id'] }, rows)
    await load({ table: 'keyed', key: ['id'] }, rows)
    await load({ table: 'placed' }, rows)
    await load({ table: 'placed' }, rows)
    deepEqual(query('select (select count(*) from keyed) as keyed, (select count(*) from placed) as placed'), [
      { keyed: 3, placed: 3 },
    ])
  })

  it('that cannot be stored exactly are refused, the others written', async () => {
    const columns = { id: 'integer', at: 'time' } as const
    const rows = [
      { id: 1 },
      { id: '2' },
      { id: 3, at: 1.5 },
      { id: null },
      4,
      null,
      ['id'],
      { other: 1 },
      new Map(),
      { id: 5 },
    ]
    deepEqual(await load({ table: 't', columns, key: ['id'] }, rows), [
      'column id takes exact integers of 64 bits: found "2"',
      'column at takes epoch milliseconds, dates and ISO 8601 down to the millisecond: found 1.5',
      'column id is part of the key: found null',
      'a row must be an object: found 4',
      'a row must be an object: found null',
      'a row must be an object: found Array',
      'column id is part of the key: found undefined',
      'column id is part of the key: found undefined',
    ])
    deepEqual(query('select id from t'), [{ id: 1 }, { id: 5 }])
  })

  it('with none of the columns are refused', async () => {
    deepEqual(await load({ table: 't', columns: { a: 'text', b: 'text' } }, [{ c: 1 }, new Date(0)]), [
      'a row has some of the columns a, b: found none',
      'a row has some of the columns a, b: found none',
    ])
  })

  it('that are promises are refused, and named as such', async () => {
    const reasons = await load({ table: 't' }, [Promise.resolve({ a: 1 })], [{ a: 1 }, Promise.resolve({ a: 2 })])
    const reason = 'a row must be an object: found a promise, which the previous step did not await'
    deepEqual(reasons, [reason, reason])
  })

  it('that throw when they are read are refused', async () => {
    const trap = Object.defineProperty({}, 'a', {
      enumerable: true,
      get() {
        throw new Error('no a today')
      },
    })
    deepEqual(await load({ table: 't', columns: { a: 'text' } }, [trap, { a: 'x' }]), ['no a today'])
    deepEqual(query('select a from t'), [{ a: 'x' }])
  })

  it('give only what is their own', async () => {
    const columns = JSON.parse('{"__proto__": "text", "constructor": "text", "toString": "text", "a": "text"}')
    class Inherits {
      get a() {
        return 'inherited'
      }
      toString() {
        return 'inherited'
      }
    }
    const own = JSON.parse('{"__proto__": "p", "constructor": "c", "toString": "s", "a": "x"}')
    const bare = Object.assign(Object.create(null), { a: 'bare' })
    deepEqual(await load({ table: 't', columns }, [own, { a: 'y' }, bare, new Inherits()]), [
      'a row has some of the columns __proto__, constructor, toString, a: found none',
    ])
    deepEqual(query('select "__proto__" as p, constructor as c, toString as s, a from t'), [
      { p: 'p', c: 'c', s: 's', a: 'x' },
      { p: null, c: null, s: null, a: 'y' },
      { p: null, c: null, s: null, a: 'bare' },
    ])
    equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  it('are bound, never part of a statement', async () => {
    const texts = ["'; drop table t; --", '\\.', '\\N', '\\\\', '\t\n\r', '%s', '"', '\u202e', '😀'.repeat(100)]
    deepEqual(
      await load(
        { table: 't' },
        texts.map((text) => ({ text })),
      ),
      [],
    )
    deepEqual(
      query('select text from t order by _offset').map(({ text }) => text),
      texts,
    )
  })

  it('find columns by themselves where none were named', async () => {
    const reasons = await load(
      { table: 't', key: ['id'] },
      [{ id: 1, name: 'a', note: null }],
      [
        { id: 2.5, name: 'b', note: 7 },
        { id: 3, stray: 'x' },
        { id: 4, stray: null },
        { id: 5, name: 5 },
      ],
    )
    deepEqual(reasons, [])
    deepEqual(query('select *, typeof(id) as type, typeof(note) as noteType from t'), [
      { id: 1, name: 'a', note: null, stray: null, type: 'integer', noteType: 'null' },
      { id: 2.5, name: 'b', note: 7, stray: null, type: 'real', noteType: 'integer' },
      { id: 3, name: null, note: null, stray: 'x', type: 'integer', noteType: 'null' },
      { id: 4, name: null, note: null, stray: null, type: 'integer', noteType: 'null' },
      { id: 5, name: '5', note: null, stray: null, type: 'integer', noteType: 'null' },
    ])
  })

  it('are refused until one tells the columns', async () => {
    deepEqual(await load({ table: 't' }, [5, {}], [{ a: 1 }]), [
      'a row must have columns: found none',
      'a row must have columns: found none',
    ])
    deepEqual(query('select a from t'), [{ a: 1 }])
  })

  it('leave out what has no column where columns were named', async () => {
    deepEqual(await load({ table: 't', columns: { a: 'integer' } }, [{ a: 1, b: 2 }]), [])
    deepEqual(query('select a from t'), [{ a: 1 }])
  })

  it('come back as they were, over any number of batches', async () => {
    const columns = { id: 'integer', t: 'text', i: 'integer', r: 'real', b: 'boolean', at: 'time', j: 'json' } as const
    const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
    const row = fc.record({
      id: fc.nat(60),
      t: optional(fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll('\0', ''))),
      i: optional(fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))),
      r: optional(fc.double({ noNaN: true, noDefaultInfinity: true })),
      b: optional(fc.boolean()),
      at: optional(fc.date({ noInvalidDate: true })),
      j: optional(fc.jsonValue()),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(row, { maxLength: 40 }), { maxLength: 4 }), async (batches) => {
        rmSync(path, { force: true })
        deepEqual(await load({ table: 't', columns, key: ['id'] }, ...batches), [])
        const expected = new Map(batches.flat().map((one) => [one.id, one]))
        const database = new DatabaseSync(path, { readBigInts: true })
        const stored = database.prepare('select * from t').all()
        database.close()
        equal(stored.length, expected.size)
        for (const { id, t, i, r, b, at, j } of stored) {
          const one = expected.get(Number(id))
          ok(one !== undefined)
          equal(t, one.t)
          equal(i, one.i === null ? null : BigInt(one.i))
          ok(one.r === null ? r === null : Number(r) === one.r)
          equal(b, one.b === null ? null : BigInt(one.b))
          equal(at, one.at === null ? null : BigInt(one.at.getTime()))
          equal(j, one.j === null ? null : jsonText(one.j))
        }
      }),
      { numRuns: times(40) },
    )
  })
})

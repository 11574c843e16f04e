import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isSluiceError, parquetSource } from 'sluice'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { duckdbRows, readParquet, writeParquet } from './support/parquet.ts'
import { ROOT } from './support/project.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-parquet-'))
})
after(() => rmSync(folder, { recursive: true }))

let files = 0

/** The rows of what a query of DuckDB gives, by way of a Parquet file. */
async function through(query: string, options = '', reading = {}) {
  files += 1
  const path = join(folder, `${files}.parquet`)
  await writeParquet(path, query, options)
  return await readParquet(path, reading)
}

describe('values of Parquet', () => {
  it('P3: decimals are strings of digits with all of their scale', async () => {
    const { rows } = await through(`select 1.15::decimal(5,2) a, -4.35::decimal(18,2) b, 0::decimal(4,3) c,
      9007199254740993::decimal(18,0) d, 12345678901234567890123456789.123456789::decimal(38,9) e,
      -0.000000001::decimal(38,9) f, 19.99::decimal(12,2) g, null::decimal(9,1) h`)
    deepEqual(rows, [
      {
        a: '1.15',
        b: '-4.35',
        c: '0.000',
        d: '9007199254740993',
        e: '12345678901234567890123456789.123456789',
        f: '-0.000000001',
        g: '19.99',
        h: null,
      },
    ])
  })

  it('P3: decimals are whole numbers with a scale where that is asked for', async () => {
    const { rows } = await through('select 1.15::decimal(5,2) a, -12345678901234567890.5::decimal(38,1) b', '', {
      decimals: 'bigint',
    })
    deepEqual(rows, [{ a: { unscaled: 115n, scale: 2 }, b: { unscaled: -123456789012345678905n, scale: 1 } }])
  })

  it('P4: whole numbers are numbers as far as these are exact, and bigints beyond', async () => {
    const { rows } = await through(`select * from (values
      ((-128)::tinyint, 65535::usmallint, 4294967295::uinteger, 9007199254740991::bigint, 18446744073709551615::ubigint),
      (127, 0, 2147483648, -9007199254740993, 9223372036854775808),
      (0, 1, 7, -9007199254740992, 9007199254740992)) t(a, b, c, d, e)`)
    deepEqual(rows, [
      { a: -128, b: 65535, c: 4294967295, d: 9007199254740991, e: 18446744073709551615n },
      { a: 127, b: 0, c: 2147483648, d: -9007199254740993n, e: 9223372036854775808n },
      { a: 0, b: 1, c: 7, d: -9007199254740992n, e: 9007199254740992n },
    ])
  })

  it('P5: a byte array without a type stays bytes, also where pages name it by number', async () => {
    const { rows } = await through(`select '\\xFF\\x80\\x00A'::blob b from range(3)`)
    deepEqual(
      rows.map(({ b }) => b),
      [0, 1, 2].map(() => new Uint8Array([0xff, 0x80, 0, 0x41])),
    )
    ok(rows[0]?.b !== rows[1]?.b, 'no two rows share an object')
  })

  it('P5: bytes are text where it is asked for', async () => {
    deepEqual((await through(`select 'abc'::blob b`, '', { binaryAsText: true })).rows, [{ b: 'abc' }])
  })

  it('P5: a text keeps its U+FEFF, and every other character', async () => {
    const { rows } = await through(`select chr(65279) || 'x' a, 'é€😀' || chr(65533) b, '' c`)
    deepEqual(rows, [{ a: '\ufeffx', b: 'é€😀\ufffd', c: '' }])
  })

  it('P6: a time that is finer than asked for makes a dead letter, and no other time', async () => {
    const query = `select unnest([timestamp '2024-02-29 12:34:56.789012', timestamp '2024-02-29 12:34:56.789',
      timestamp '1969-12-31 23:59:59.999999', timestamp '1969-12-31 23:59:59.999']) t`
    const { rows, reasons } = await through(query)
    deepEqual(rows, [{ t: Date.UTC(2024, 1, 29, 12, 34, 56, 789) }, { t: -1 }])
    equal(reasons.length, 2)
    match(reasons[0] ?? '', /^column t: the time 2024-02-29T12:34:56\.789012 is finer than a millisecond/)
    match(reasons[1] ?? '', /1969-12-31T23:59:59\.999999/)
    deepEqual((await through(query, '', { times: 'us' })).rows, [
      { t: 1709210096789012 },
      { t: 1709210096789000 },
      { t: -1 },
      { t: -1000 },
    ])
    deepEqual((await through(query, '', { times: 'text' })).rows[2], { t: '1969-12-31T23:59:59.999999' })
  })

  it('P6: nanoseconds are counted or written exactly', async () => {
    const query = `select timestamp_ns '2024-02-29 12:34:56.789012345' t, timestamptz '2024-02-29 12:00:00+02' z`
    deepEqual((await through(query, '', { times: 'ns' })).rows, [{ t: 1709210096789012345n, z: 1709200800000000000n }])
    deepEqual((await through(query, '', { times: 'text' })).rows, [
      { t: '2024-02-29T12:34:56.789012345', z: '2024-02-29T10:00:00.000000Z' },
    ])
    equal((await through(query, '', { times: 'us' })).reasons.length, 1)
  })

  it('P6: dates and times of day are texts', async () => {
    const { rows } = await through(`select date '0001-01-01' a, date '1969-12-31' b, date '9999-12-31' c,
      time '23:59:59.000001' d`)
    deepEqual(rows, [{ a: '0001-01-01', b: '1969-12-31', c: '9999-12-31', d: '23:59:59.000001' }])
  })

  it('P6: a time without an end, or outside the years 1 to 9999, makes a dead letter', async () => {
    const { reasons } = await through(`select unnest([timestamp 'infinity', timestamp '20000-01-01']) t`)
    equal(reasons.length, 2)
  })

  it('P7: floating point, booleans, UUIDs, enums and intervals', async () => {
    const { rows } = await through(`select 1.5::float a, 'nan'::double b, '-infinity'::double c, true d,
      'f47ac10b-58cc-4372-a567-0e02b2c3d479'::uuid e, 'x'::enum('w', 'x') f, interval '14 months 3 days 1.5 seconds' g`)
    deepEqual(rows, [
      {
        a: 1.5,
        b: Number.NaN,
        c: Number.NEGATIVE_INFINITY,
        d: true,
        e: 'f47ac10b-58cc-4372-a567-0e02b2c3d479',
        f: 'x',
        g: { months: 14, days: 3, milliseconds: 1500 },
      },
    ])
  })

  it('P7: JSON is parsed, with numbers that are exact', async () => {
    const { rows } = await through(`select '{"a": [1, 9007199254740993], "__proto__": 1}'::json j`)
    const found = rows[0]?.j as Record<string, unknown>
    deepEqual(
      [Object.keys(found), found.a],
      [
        ['a', '__proto__'],
        [1, 9007199254740993n],
      ],
    )
  })

  it('P8: lists, maps and structures, with nulls and nothing in them', async () => {
    const { rows } = await through(`select * from (values
      ([1, null, 9007199254740993]::bigint[], {'a': 1, 'b': [{'c': 'x'}, null]}, map {'k': 1.5::decimal(3,1), 'l': null}, 1),
      (null, null, null, 2),
      ([], {'a': null, 'b': []}, map {}, 3),
      ([7], {'a': 2, 'b': null}, map {'m': 0}, 4)) t(l, s, m, n)`)
    deepEqual(rows, [
      {
        l: [1, null, 9007199254740993n],
        s: { a: 1, b: [{ c: 'x' }, null] },
        m: [
          { key: 'k', value: '1.5' },
          { key: 'l', value: null },
        ],
        n: 1,
      },
      { l: null, s: null, m: null, n: 2 },
      { l: [], s: { a: null, b: [] }, m: [], n: 3 },
      { l: [7], s: { a: 2, b: null }, m: [{ key: 'm', value: '0.0' }], n: 4 },
    ])
  })

  it('P8: lists in lists come as they are, however many rows there are', async () => {
    const query = `select [[i, i + 1], [], null, [null, i]] l, {'a': {'b': [i]}} s from range(5000) t(i)`
    const { rows } = await through(query, 'row_group_size 2048')
    deepEqual(
      rows,
      Array.from({ length: 5000 }, (_, i) => ({ l: [[i, i + 1], [], null, [null, i]], s: { a: { b: [i] } } })),
    )
  })

  it('P9: a column called __proto__ keeps its values', async () => {
    const { rows } = await through('select 1 k, 3 "__proto__", {\'__proto__\': 5} s')
    equal(JSON.stringify(rows), '[{"k":1,"__proto__":3,"s":{"__proto__":5}}]')
  })
})

describe('files of Parquet', () => {
  for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw', 'lz4']) {
    it(`P1: ${codec}, in small pages and large ones`, async () => {
      const rows = 150_000
      // DuckDB takes long to compress with Brotli what is not all the same.
      const isSlow = codec === 'brotli'
      const columns = isSlow ? '(i // 50000)::bigint c' : "i::bigint * 7 id, 'name ' || (i % 9000) s, i || ' of many' u"
      const query = `select ${columns}, if(i % 3 = 0, null, 1)::int n from range(${rows}) t(i)`
      const { rows: found } = await through(
        query,
        `codec '${codec}', row_group_size 122880, dictionary_size_limit ${isSlow ? 1 : 9000}`,
      )
      equal(found.length, rows)
      for (const [i, row] of found.entries()) {
        const { c = Math.floor(i / 50_000), id = i * 7, n, s = `name ${i % 9000}`, u = `${i} of many` } = row
        const isRight = id === i * 7 && n === (i % 3 === 0 ? null : 1) && s === `name ${i % 9000}`
        if (!isRight || c !== Math.floor(i / 50_000) || u !== `${i} of many`) deepEqual(row, i)
      }
    })
  }

  it('P1: the encodings of the second version', async () => {
    const query = `select i::int a, (i * 1000003)::bigint b, 'name ' || i c, i / 7.0 d, i % 2 = 0 e,
      (i * 0.5)::float f from range(3000) t(i)`
    const { rows } = await through(query, `parquet_version v2, codec 'zstd', dictionary_size_limit 1`)
    for (const [i, row] of rows.entries()) {
      deepEqual(row, { a: i, b: i * 1000003, c: `name ${i}`, d: i / 7, e: i % 2 === 0, f: i / 2 })
    }
    equal(rows.length, 3000)
  })

  it('P2: no rows, and columns that are named', async () => {
    deepEqual(await through('select 1 a where false'), { rows: [], reasons: [] })
    deepEqual((await through('select 1 a, 2 b, 3 c', '', { columns: ['c', 'a'] })).rows, [{ a: 1, c: 3 }])
    await rejects(through('select 1 a', '', { columns: ['b'] }), /has no column b: there are a/)
  })

  it('P2: a row group that is one of many is read by itself', async () => {
    const path = join(folder, 'groups.parquet')
    await writeParquet(path, 'select i::int i from range(10000) t(i)', 'row_group_size 2048')
    const source = parquetSource<{ i: number }>(path)
    const splits = await source.splits()
    equal(splits.length, 5)
    const reader = await source.open(splits[3] as { id: string }, undefined)
    const [first] = (await readEntries(reader, 1)) ?? []
    await reader.close()
    deepEqual(first?.kind === 'event' && [first.value, first.origin.line, first.origin.offset, first.origin.raw], [
      { i: 6144 },
      6145,
      6144,
      '{"i":6144}',
    ])
  })
})

const data = join(ROOT, '..', 'shared', 'data', 'parquet')
const skip = existsSync(data) ? false : `no ${data}`

describe('Parquet files of other writers', { skip }, () => {
  for (const name of existsSync(data) ? readdirSync(data).filter((one) => one.endsWith('.parquet')) : []) {
    it(`P1, P8: ${name} holds what DuckDB finds in it`, async () => {
      const path = join(data, name)
      const { rows, reasons } = await readParquet(path)
      deepEqual(reasons, [])
      const expected = await duckdbRows(`select * from '${path}'`)
      deepEqual(
        rows.map((row) => plain(row)),
        expected.map((row) => plain(row)),
      )
    })
  }

  /** File → rows, or why it is refused. */
  const bad: Readonly<Record<string, number | RegExp>> = {
    'ARROW-GH-43605.parquet': 21186,
    'ARROW-GH-45185.parquet': /column x\.list\.element continues after the last row/,
    'PARQUET-1481.parquet': /a number is below 0: -7/,
  }
  for (const [name, expected] of Object.entries(bad)) {
    it(`P10: ${name} is read, or refused with its reason`, async () => {
      const reading = readParquet(join(data, 'bad', name))
      if (typeof expected === 'number') return equal((await reading).rows.length, expected)
      await rejects(reading, (error) => isSluiceError(error, 'SOURCE_CORRUPT') && expected.test(error.message))
    })
  }
})

/** A value of either reader, in a form that can be compared: maps as entries, bytes as numbers, numbers by what they are. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'string' && /^-?[0-9]+\.[0-9]+$/.test(value)) return Number(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
}

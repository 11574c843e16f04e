// Random values into random types of columns: each comes back exactly, or its row is refused.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { missingPostgres } from './support/postgres.ts'
import { SEED, times } from './support/seed.ts'
import { load, type SqlSink, SqlSinks } from './support/sql-sinks.ts'

const skip = missingPostgres()

/** Types of columns, by what tells whether a value came back. */
const TYPES: Readonly<Record<SqlSink['name'], Readonly<Record<string, Kind>>>> = {
  SQLite: {
    integer: 'stored',
    'decimal(10, 2)': 'stored',
    datetime: 'stored',
    real: 'stored',
    text: 'stored',
    blob: 'stored',
    'varchar(3)': 'stored',
    '': 'stored',
  },
  PostgreSQL: {
    smallint: 'number',
    integer: 'number',
    bigint: 'number',
    real: 'float',
    'double precision': 'number',
    numeric: 'number',
    'numeric(5, 2)': 'number',
    'numeric(3, 5)': 'number',
    'numeric(4, -2)': 'number',
    boolean: 'word',
    text: 'text',
    'varchar(3)': 'text',
    'char(3)': 'padded',
    uuid: 'word',
    bytea: 'bytes',
    json: 'json',
    jsonb: 'json',
    date: 'time',
    timestamp: 'time',
    timestamptz: 'time',
    'timestamp(0)': 'time',
    'timestamptz(4)': 'time',
    time: 'clock',
    'time(1)': 'clock',
    interval: 'text',
    inet: 'text',
    'text[]': 'list',
    'int[]': 'list',
    'numeric(5, 2)[]': 'list',
  },
  DuckDB: {
    TINYINT: 'number',
    UTINYINT: 'number',
    SMALLINT: 'number',
    INTEGER: 'number',
    UBIGINT: 'number',
    BIGINT: 'number',
    HUGEINT: 'number',
    FLOAT: 'float',
    DOUBLE: 'number',
    'DECIMAL(5, 2)': 'number',
    'DECIMAL(38, 9)': 'number',
    BOOLEAN: 'word',
    VARCHAR: 'text',
    UUID: 'word',
    BLOB: 'bytes',
    JSON: 'json',
    DATE: 'time',
    TIMESTAMP: 'time',
    TIMESTAMP_S: 'time',
    TIMESTAMP_MS: 'time',
    TIMESTAMPTZ: 'time',
    TIME: 'clock',
    INTERVAL: 'text',
    'VARCHAR[]': 'list',
    'INTEGER[]': 'list',
    'DECIMAL(5, 2)[]': 'list',
  },
}

type Kind = 'number' | 'float' | 'word' | 'text' | 'padded' | 'bytes' | 'json' | 'time' | 'clock' | 'list' | 'stored'

const digits = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.bigInt({ min: 0n, max: 10n ** 22n }),
    fc.option(fc.stringMatching(/^[0-9]{1,12}$/)),
  )
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}`)

const scalar = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer({ min: -40_000, max: 40_000 }).map((n) => n / 100),
  fc.integer({ min: -300, max: 300 }).map((n) => n / 8),
  fc.double(),
  fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
  fc.boolean(),
  digits,
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom(
    '007',
    '1e5',
    '0x10',
    ' 12',
    'abc ',
    'abcdef',
    '1 day',
    '01:30:00',
    '10.0.0.1',
    '10.0.0.1/8',
    'infinity',
    'NaN',
  ),
  fc.constantFrom(
    '9.999',
    '1e400',
    '0.1',
    '99.5',
    '-0',
    '12.50',
    '10:00',
    '23:59:59.1234567',
    '{a,"b c",NULL}',
    '{1,2}',
  ),
  fc.uuid(),
  fc.uuid().map((text) => text.toUpperCase()),
  fc.date({ noInvalidDate: true }),
  fc
    .date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('2100-01-01') })
    .map((at) => at.toISOString()),
  fc
    .tuple(
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
      fc.stringMatching(/^[0-9]{1,9}$/),
    )
    .map(([at, fraction]) => `${at.toISOString().slice(0, 19)}.${fraction}+02:00`),
  fc.constantFrom('2026-03-02', '2026-03-02T00:00:00Z', '2026-03-02 10:00:00', '2026-02-30', '0001-01-01T00:00:00Z'),
  fc.constantFrom(Infinity, -Infinity, -0, Number.NaN, 1e21, 5e-324, 2 ** 53, new Date(Number.NaN)),
  fc.uint8Array({ maxLength: 4 }),
)

const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.constant(null), digits), {
      maxLength: 3,
    }),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }).filter((json) => typeof json === 'object') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>({ a: Uint8Array.of(1) }, new Map(), { a: -0 }, [1n << 70n], { a: '\0' }, [
      '\ud800',
    ]),
  },
)

describe('random values in SQL tables', { skip }, () => {
  let sinks: SqlSinks
  before(async () => {
    sinks = await SqlSinks.start()
  })
  after(() => sinks.stop())

  for (const database of ['SQLite', 'PostgreSQL', 'DuckDB'] as const) {
    it(`Q5: come back exactly, or their rows are refused (${database}, REPRO: SEED=${SEED} npm test)`, async () => {
      const types = Object.entries(TYPES[database])
      const at =
        database === 'SQLite' ? sinks.sqlite() : database === 'DuckDB' ? sinks.duckdb() : await sinks.postgres()
      const columns = types.map(([type], i) => `c${i} ${type}`)
      await at.execute(`create table t (id bigint primary key, ${columns.join(', ')})`)
      const cells = fc.array(fc.tuple(fc.nat(types.length - 1), value), { minLength: 150, maxLength: 150 })
      let taken = 0
      const property = fc.asyncProperty(cells, async (batch) => {
        await at.execute('delete from t')
        const rows = batch.map(([column, one], id) => ({ id, [`c${column}`]: one }))
        const { reasons } = await load(at.sink({ key: ['id'] }), rows)
        const stored = await at.read(
          `select id, ${types.map(([type], i) => asText(database, type, i)).join(', ')} from t`,
        )
        equal(stored.length + reasons.length, rows.length)
        taken += stored.length
        for (const row of stored) {
          const [column, one] = batch[Number(row.id)] as [number, unknown]
          const [type, kind] = types[column] as [string, Kind]
          const found = row[`c${column}`] ?? null
          const words = `${type} made ${String(found)} of ${typeof one} ${show(one)}`
          // A JSON column may hold null of its own.
          if (found === null) ok(one === null || (kind === 'json' && one === null), words)
          else check(kind, one, found, words)
        }
      })
      await fc.assert(property, { numRuns: times(12), seed: SEED, endOnFailure: true })
      ok(taken > times(12) * 8, `only ${taken} rows were taken`)
    })
  }
})

/** A column as a text that says all of its value. */
function asText(database: SqlSink['name'], type: string, at: number): string {
  const column = `c${at}`
  if (database === 'SQLite') {
    return `case typeof(${column}) when 'blob' then 'b' || lower(hex(${column})) when 'text' then 't' || ${column}
      when 'integer' then 'n' || ${column} when 'real' then 'n' || printf('%!.17g', ${column}) end as ${column}`
  }
  if (/bytea/.test(type)) return `encode(${column}, 'hex') as ${column}`
  if (type === 'BLOB') return `lower(hex(${column})) as ${column}`
  if (type.endsWith('[]'))
    return database === 'DuckDB'
      ? `to_json(${column}::varchar[])::varchar as ${column}`
      : `to_json(${column}::text[])::text as ${column}`
  if (database === 'DuckDB' && type === 'TIMESTAMPTZ') return `(${column} at time zone 'UTC')::varchar as ${column}`
  if (/^char/.test(type)) return `rpad(${column}::text, 3) as ${column}`
  return database === 'DuckDB' ? `${column}::varchar as ${column}` : `${column}::text as ${column}`
}

function check(kind: Kind, one: unknown, found: string, words: string): void {
  switch (kind) {
    case 'stored':
      return checkStored(one, found, words)
    case 'number':
      return ok(isSameNumber(one, found), words)
    case 'float':
      return ok(isSameNumber(one, floatOf(found)), words)
    case 'word':
      return equal(found, String(one).toLowerCase(), words)
    case 'text':
      return typeof one === 'string' ? equal(found, one, words) : ok(isSameJson(one, found), words)
    case 'padded':
      return equal(found.replace(/ +$/, ''), one, words)
    case 'bytes':
      ok(one instanceof Uint8Array, words)
      return equal(found, Buffer.from(one).toString('hex'), words)
    case 'json':
      return ok(isSameJson(one, found), words)
    case 'time':
      return equal(nanos(found), nanos(one), words)
    case 'clock':
      return equal(clock(found), clock(one), words)
    case 'list':
      return isSameList(one, JSON.parse(found), words)
  }
}

function checkStored(one: unknown, found: string, words: string): void {
  const text = found.slice(1)
  if (found.startsWith('b')) {
    ok(one instanceof Uint8Array, words)
    equal(text, Buffer.from(one).toString('hex'), words)
  } else if (found.startsWith('t')) {
    if (typeof one === 'string') equal(text, one, words)
    else ok(isSameJson(one, text), words)
  } else if (typeof one === 'boolean') equal(text, String(Number(one)), words)
  else if (one instanceof Date) equal(text, String(one.getTime()), words)
  else ok(isSameNumber(one, text), words)
}

function isSameNumber(one: unknown, found: string): boolean {
  const text = found.replace(/^(-?)inf(inity)?$/i, '$1Infinity').replace(/^nan$/i, 'NaN')
  // By value, as a number whose sign of zero says nothing; its shortest digits are the same number.
  if (typeof one === 'number') return Object.is(Number(text) + 0, one + 0)
  if (one instanceof Date) return text === String(one.getTime())
  return (typeof one === 'bigint' || typeof one === 'string') && plain(spelled(text)) === plain(String(one))
}

/** All digits of a number of 32 bits, of which databases write as few as tell it from others. */
function floatOf(text: string): string {
  const number = Math.fround(Number(text))
  if (!Number.isFinite(number)) return text
  // Beyond 2^53 the digits of a double are not all of the number's.
  return Number.isInteger(number) ? String(BigInt(number)) : String(number)
}

/** A number without an exponent. */
function spelled(text: string): string {
  if (!/e/i.test(text)) return text
  const number = Number(text)
  return Number.isInteger(number) ? String(BigInt(number)) : number.toFixed(30).replace(/0+$/, '')
}

function plain(decimal: string): string {
  const text = decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
  return text === '-0' ? '0' : text
}

/** Whether a text is the JSON of a value; bigints, too, are numbers there. */
function isSameJson(one: unknown, found: string): boolean {
  const wanted = JSON.stringify(one, (_, part) => (typeof part === 'bigint' ? Number(part) : part))
  try {
    deepEqual(
      JSON.parse(found, (_, part) => (Object.is(part, -0) ? 0 : part)),
      JSON.parse(wanted),
    )
  } catch {
    return false
  }
  return typeof one !== 'bigint' || found === String(one)
}

/** Nanoseconds of a time as users give it and as databases write it; days as texts of the same. */
function nanos(one: unknown): string {
  if (one === Infinity || one === 'infinity') return 'infinity'
  if (one === -Infinity || one === '-infinity') return '-infinity'
  if (typeof one === 'number' || one instanceof Date) return String(BigInt(Number(one)) * 1_000_000n)
  const found =
    /^(-?\d+-\d\d-\d\d)( \(BC\)| BC)?(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d(?::\d\d)?)?( BC)?$/.exec(
      String(one),
    )
  ok(found !== null, `no time: ${String(one)}`)
  const [, day = '', before, clockText = '00:00:00', fraction = '', offset = 'Z', behind] = found
  const era = before ?? behind
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  const at = new Date(0)
  at.setUTCFullYear(era === undefined ? year : 1 - year, month - 1, date)
  const [hours, minutes, seconds] = clockText.split(':').map(Number) as [number, number, number]
  const shift =
    offset === 'Z' ? 0 : Number(`${offset[0]}1`) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4) || 0))
  const ms = at.getTime() + ((hours * 60 + minutes - shift) * 60 + seconds) * 1000
  return String(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')))
}

function clock(one: unknown): string {
  const [hours = '', minutes = '', seconds = '0'] = String(one).split(':')
  return `${hours}:${minutes}:${Number(seconds)}`
}

function isSameList(one: unknown, found: readonly (string | null)[], words: string): void {
  const wanted = typeof one === 'string' ? elements(one) : (one as readonly unknown[])
  equal(found.length, wanted.length, words)
  for (const [i, element] of found.entries()) {
    const expected = wanted[i]
    if (element === null || expected === null) equal(element, expected, words)
    else if (typeof expected === 'string' && !/^-?\d/.test(expected)) equal(element, expected, words)
    else ok(element === expected || isSameNumber(expected, element), words)
  }
}

/** The lists that the values above hold. */
function elements(text: string): readonly (string | null)[] {
  return text === '{1,2}' ? ['1', '2'] : text === '{a,"b c",NULL}' ? ['a', 'b c', null] : [text]
}

function show(one: unknown): string {
  return typeof one === 'object'
    ? JSON.stringify(one, (_, part) => (typeof part === 'bigint' ? String(part) : part))
    : String(one)
}

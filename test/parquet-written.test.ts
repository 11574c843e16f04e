import { deepEqual, equal, match } from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { batchOf, csvSink, parquetSink, type Sink } from 'sluice'
import { duckdbRows, readParquet } from './support/parquet.ts'

let root = ''
before(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-written-'))
})
after(() => rmSync(root, { recursive: true }))

const TOTALS = { read: 0, derived: 0, loaded: 0, dead: 0, filtered: 0, blank: 0, absorbed: 0, invalidUtf8: 0 }

/** Writes batches of rows; gives the reasons of those that were refused. */
async function write(sink: Sink<object>, batches: readonly (readonly object[])[]): Promise<string[]> {
  const writer = await sink.open({ pipeline: 'job' })
  const reasons: string[] = []
  for (const batch of batches) {
    const letters = await writer.write(batchOf(batch, { at: (offset) => ({ source: 'a', line: 0, offset, raw: '' }) }))
    reasons.push(...letters.map(({ reason }) => reason))
  }
  await writer.commit({ epoch: 1, positions: new Map(), totals: TOTALS, states: new Map() })
  await writer.close()
  return reasons
}

const partsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('job-'))

describe('Parquet files that are written', () => {
  const columns = {
    i: 'integer',
    r: 'real',
    t: 'text',
    b: 'boolean',
    at: 'time',
    d: 'decimal',
    e: 'decimal',
    j: 'json',
    y: 'bytes',
  } as const
  const rows = [
    {
      i: -(2n ** 63n),
      r: -0.1,
      t: '\ufeffé😀',
      b: false,
      at: -1,
      d: '-12345678901234567890123456789.123456789',
      e: '1.15',
      j: { a: [1, 9007199254740993n], b: null },
      y: new Uint8Array([0xff, 0, 0x80]),
    },
    {
      i: 7,
      r: 1e300,
      t: '',
      b: true,
      at: Date.UTC(9999, 11, 31),
      d: '0.000000001',
      e: '-19.9',
      j: [],
      y: new Uint8Array(),
    },
    { t: 'nothing else' },
  ]

  it('P15: are read back the same, by parquetSource() and by DuckDB', async () => {
    const folder = join(root, 'same')
    deepEqual(await write(parquetSink(folder, { columns, scales: { e: 2 } }), [rows]), [])
    const path = join(folder, partsIn(folder)[0] as string)
    const nothing = { i: null, r: null, b: null, at: null, d: null, e: null, j: null, y: null }
    deepEqual(await readParquet(path), {
      rows: [rows[0], { ...rows[1], e: '-19.90' }, { ...nothing, t: 'nothing else' }],
      reasons: [],
    })
    const found =
      await duckdbRows(`select i::varchar i, r, strlen(t)::int t, b, epoch_ms("at")::varchar "at", d::varchar d, e::varchar e,
      j::varchar j, hex(y) y, typeof(d) || ' ' || typeof(e) || ' ' || typeof(j) || ' ' || typeof(y) as types
      from '${path}' limit 1`)
    deepEqual(found, [
      {
        i: '-9223372036854775808',
        r: -0.1,
        t: Buffer.byteLength('\ufeffé😀'),
        b: false,
        at: '-1',
        d: '-12345678901234567890123456789.123456789',
        e: '1.15',
        j: '{"a":[1,9007199254740993],"b":null}',
        y: 'FF0080',
        types: 'DECIMAL(38,9) DECIMAL(38,2) JSON BLOB',
      },
    ])
  })

  it('P15: refuse a decimal with more digits than its column has, and nothing else', async () => {
    const folder = join(root, 'digits')
    const sink = parquetSink<object>(folder, { columns: { id: 'integer', d: 'decimal' }, scales: { d: 2 } })
    const reasons = await write(sink, [
      [
        { id: 1, d: '1.150' },
        { id: 2, d: '1.155' },
        { id: 3, d: `${10n ** 36n}` },
        { id: 4, d: '2' },
      ],
    ])
    equal(reasons.length, 2)
    match(reasons[0] ?? '', /^column d has 36 digits before the point and 2 after it \(scales\): found 1\.155$/)
    const { rows: found } = await readParquet(join(folder, partsIn(folder)[0] as string))
    deepEqual(found, [
      { id: 1, d: '1.15' },
      { id: 4, d: '2.00' },
    ])
  })

  it('P16: have floating point where the first numbers of columns that nobody named are whole', async () => {
    const folder = join(root, 'found')
    const batches = [[{ price: 0 }], [{ price: 0.5 }], [{ price: 2n }]]
    deepEqual(await write(parquetSink(folder), batches), [])
    const { rows: found } = await readParquet(join(folder, partsIn(folder)[0] as string))
    deepEqual(found, [{ price: 0 }, { price: 0.5 }, { price: 2 }])
  })

  it('P16: have lists of bigints where these come', async () => {
    const folder = join(root, 'lists')
    deepEqual(await write(parquetSink(folder), [[{ id: 2n ** 60n, tags: [2n ** 60n] }]]), [])
    const { rows: found } = await readParquet(join(folder, partsIn(folder)[0] as string))
    deepEqual(found, [{ id: 2n ** 60n, tags: [2n ** 60n] }])
  })
})

describe('CSV files that are written', () => {
  it('P16: are the same however their rows are cut into batches', async () => {
    const rows = [
      { id: 1, v: 0 },
      { id: 2, v: 0.5 },
      { id: 3, v: 'text' },
      { id: 4, v: 2n ** 60n },
      { id: 5, v: [1, 2n ** 60n] },
      { id: 6, v: true },
      { id: 7, v: new Date(0) },
      { id: 8, v: null },
    ]
    const texts: string[] = []
    for (const [name, batches] of Object.entries({ whole: [rows], single: rows.map((row) => [row]) })) {
      const folder = join(root, name)
      deepEqual(await write(csvSink(folder), batches), [])
      texts.push(
        partsIn(folder)
          .map((part) => readFileSync(join(folder, part), 'utf8'))
          .join(''),
      )
    }
    equal(texts[0], texts[1])
    equal(
      texts[0],
      'id,v\r\n1,0\r\n2,0.5\r\n3,text\r\n4,1152921504606846976\r\n5,"[1,1152921504606846976]"\r\n6,true\r\n7,1970-01-01T00:00:00.000Z\r\n8,\r\n',
    )
  })
})

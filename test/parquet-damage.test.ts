import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { isSluiceError } from 'sluice'
import { readParquet, writeParquet } from './support/parquet.ts'
import { ROOT } from './support/project.ts'
import { SEED, times } from './support/seed.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-parquet-'))
})
after(() => rmSync(folder, { recursive: true }))

/** Files of many kinds of columns, small enough to be hit everywhere. */
const FILES: readonly (readonly [query: string, options: string])[] = [
  [`select i::int a, i::bigint * 3 b, 'n' || (i % 5) s, i / 2.0 x from range(60) t(i)`, "codec 'snappy'"],
  [`select [i, null, i + 1] l, {'a': i, 'b': [{'c': 'x' || i}]} s, map {'k': i} m from range(40) t(i)`, "codec 'zstd'"],
  [
    `select i::decimal(20,2) d, date '2024-01-01' + i::int t, i % 3 = 0 b, '\\xFF'::blob r from range(50) t(i)`,
    "codec 'gzip'",
  ],
  [
    `select i::int a, 'name ' || i s, i * 0.1 x from range(70) t(i)`,
    "parquet_version v2, codec 'lz4_raw', dictionary_size_limit 1",
  ],
  [
    `select i::int a, if(i % 4 = 0, null, i)::bigint n from range(5000) t(i)`,
    "row_group_size 2048, codec 'uncompressed'",
  ],
]

/** A column `a` of 32-bit numbers that are never null, as the second field of a footer. */
const SCHEMA = [0x19, 0x2c, 0x48, 1, 0x72, 0x15, 2, 0, 0x15, 2, 0x25, 0, 0x18, 1, 0x61, 0]

describe('a damaged Parquet file', () => {
  it('F41, P10: ends with SOURCE_CORRUPT, or gives as many rows as its footer counts, in bounded memory', async () => {
    const originals: string[] = []
    for (const [at, [query, options]] of FILES.entries()) {
      originals.push(join(folder, `${at}.parquet`))
      await writeParquet(originals[at] as string, query, options)
    }
    const child = join(ROOT, 'test', 'support', 'read-damaged.ts')
    const args = ['--conditions=sluice-source', '--no-warnings', child, String(SEED), String(times(500)), ...originals]
    // A read that hangs, or never settles, ends the child by time, or with an exit code.
    const told = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: times(300_000) })
    const { read, refused, wrong, peakMb } = JSON.parse(told)
    deepEqual(wrong, [], `seed ${SEED}`)
    ok(read + refused === times(500) && refused > 100, told)
    ok(peakMb < 256, `it took ${peakMb} MB`)
  })

  it('P10: is refused by the checksum of a page before a row is given', async () => {
    const path = join(folder, 'crc.parquet')
    writeFileSync(path, fileWithChecksum(0))
    deepEqual((await readParquet(path)).rows, [{ a: 7 }, { a: 8 }])
    writeFileSync(path, fileWithChecksum(1))
    await rejects(
      readParquet(path),
      (error) => isSluiceError(error, 'SOURCE_CORRUPT') && /checksum/.test(error.message),
    )
  })

  for (const [what, thrift] of [
    ['rows beyond what a number holds', [0x15, 2, ...SCHEMA, 0x16, ...varint(2n ** 60n), 0x19, 0x0c, 0]],
    ['more columns than it has bytes', [0x15, 2, 0x19, 0xfc, ...varint(2n ** 31n), 0]],
    [
      'a schema that goes on forever',
      [0x15, 2, 0x19, 0x1c, 0x48, 1, 0x61, 0x15, ...varint(2n ** 30n), 0, 0x16, 0, 0x19, 0x0c, 0],
    ],
    ['a text longer than the file', [0x15, 2, 0x19, 0x1c, 0x48, ...varint(2n ** 40n), 0x61, 0, 0]],
    ['a structure without an end', Array.from({ length: 4000 }, () => 0x1c)],
  ] as const) {
    it(`P10: is refused with ${what} in its footer`, async () => {
      const path = join(folder, 'footer.parquet')
      writeFileSync(path, fileOf([], thrift))
      await rejects(readParquet(path), (error) => isSluiceError(error, 'SOURCE_CORRUPT'))
    })
  }

  it('P11: a row group of many rows and columns is read in bounded memory', async () => {
    const path = join(folder, 'large.parquet')
    const columns = Array.from(
      { length: 15 },
      (_, k) => `(i * ${k + 1})::bigint b${k}, 'value ' || (i % ${900 * (k + 1)}) s${k}`,
    )
    await writeParquet(path, `select ${columns.join(', ')} from range(500000) t(i)`, 'row_group_size 1048576')
    const args = ['--conditions=sluice-source', '--no-warnings', join(ROOT, 'test', 'support', 'read-peak.ts'), path]
    const { rows, mb } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    equal(rows, 500_000)
    ok(mb < 256, `it took ${mb} MB`)
  })

  it('S25: is refused where it would take more memory than is allowed', async () => {
    const path = join(folder, 'wide.parquet')
    await writeParquet(path, `select repeat('x', 500000) || (i % 3) s from range(200) t(i)`, 'dictionary_size_limit 10')
    equal((await readParquet(path)).rows.length, 200)
    await rejects(
      readParquet(path, { maxHeldBytes: 1024 * 1024 }),
      (error) => isSluiceError(error, 'SOURCE_LIMIT') && /raise maxHeldBytes/.test(error.message),
    )
  })
})

/** A number in as many groups of seven bits as it takes. */
function varint(value: number | bigint): number[] {
  const bytes: number[] = []
  let left = BigInt(value)
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128)
  return [...bytes, Number(left)]
}

/** As Thrift writes numbers with a sign. */
const zigzag = (value: number): number[] => varint((BigInt(value) << 1n) ^ (BigInt(value) >> 63n))

/** Two rows, whose page has the right checksum, or one that is so much beside it. */
function fileWithChecksum(beside: number): Buffer {
  const data = Buffer.from([7, 0, 0, 0, 8, 0, 0, 0])
  const crc = (crc32(data) + beside) | 0
  const details = [0x15, 4, 0x15, 0, 0x15, 6, 0x15, 6, 0]
  const header = [0x15, 0, 0x15, 16, 0x15, 16, 0x15, ...zigzag(crc), 0x1c, ...details, 0]
  const size = zigzag(header.length + data.length)
  const column = [
    0x15,
    2,
    0x19,
    0x15,
    0,
    0x19,
    0x18,
    1,
    0x61,
    0x15,
    0,
    0x16,
    4,
    0x16,
    ...size,
    0x16,
    ...size,
    0x26,
    8,
    0,
  ]
  const group = [0x19, 0x1c, 0x26, 8, 0x1c, ...column, 0, 0x16, 32, 0x16, 4, 0]
  return fileOf([...header, ...data], [0x15, 2, ...SCHEMA, 0x16, 4, 0x19, 0x1c, ...group, 0])
}

function fileOf(pages: readonly number[], footer: readonly number[]): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([Buffer.from('PAR1'), Buffer.from(pages), Buffer.from(footer), length, Buffer.from('PAR1')])
}

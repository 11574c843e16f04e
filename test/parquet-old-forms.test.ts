import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { ParquetSourceOptions } from 'sluice'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { readParquet } from './support/parquet.ts'
import { type Chunk, type Element, FIXED, INT32, INT96, parquetFile } from './support/parquet-bytes.ts'

const folder = tempFolder('sluice-parquet-forms-')
let files = 0

async function read(
  rows: number,
  elements: readonly Element[],
  chunks: readonly Chunk[],
  options: ParquetSourceOptions = {},
) {
  files += 1
  const path = join(folder, `${files}.parquet`)
  writeFileSync(path, parquetFile(rows, elements, chunks))
  return await readParquet(path, options)
}

describe('Parquet of half precision', () => {
  it('P7: gives every number of two bytes as it is', async () => {
    const known = new Map([
      [0x0000, 0],
      [0x8000, -0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3c00, 1],
      [0xbe00, -1.5],
      [0x7bff, 65504],
      [0xfbff, -65504],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
      [0x7e00, Number.NaN],
      [0xfc01, Number.NaN],
    ])
    const values = [...known.keys()].map((bits) => Buffer.from([bits & 0xff, bits >> 8]))
    const element: Element = { name: 'h', repetition: 'required', type: FIXED, length: 2, logical: 15 }
    const { rows } = await read(values.length, [element], [{ path: ['h'], type: FIXED, values }])
    deepEqual(
      rows.map(({ h }) => h),
      [...known.values()],
    )
    ok(Object.is(rows[1]?.h, -0))
  })
})

describe('Parquet with times of twelve bytes', () => {
  /** A day and the nanoseconds of it, as INT96 has them. */
  const int96 = (day: number, nanoseconds: bigint): Buffer => {
    const bytes = Buffer.alloc(12)
    bytes.writeBigInt64LE(nanoseconds)
    bytes.writeInt32LE(day, 8)
    return bytes
  }
  const values = [
    int96(2_440_588, 0n),
    int96(2_440_587, 86_399_999_000_000n),
    int96(2_460_370, 45_296_789_000_000n),
    int96(2_460_370, 45_296_789_012_345n),
  ]
  const element: Element = { name: 't', repetition: 'optional', type: INT96 }
  const chunk: Chunk = { path: ['t'], type: INT96, values, definitions: [1, 1, 0, 1, 1] }
  const of = (options: ParquetSourceOptions) => read(5, [element], [chunk], options)

  it('P6: gives milliseconds, and a dead letter for what is finer', async () => {
    const { rows, reasons } = await of({})
    deepEqual(
      rows.map(({ t }) => t),
      [0, -1, null, Date.UTC(2024, 1, 29, 12, 34, 56, 789)],
    )
    equal(reasons.length, 1)
    match(reasons[0] ?? '', /^column t: the time 2024-02-29T12:34:56\.789012345 is finer than a millisecond/)
  })

  it('P6: gives nanoseconds and texts with all digits', async () => {
    deepEqual(
      (await of({ times: 'ns' })).rows.map(({ t }) => t),
      [0, -1_000_000, null, 1709210096789000000n, 1709210096789012345n],
    )
    deepEqual((await of({ times: 'text' })).rows.map(({ t }) => t).slice(1), [
      '1969-12-31T23:59:59.999000000',
      null,
      '2024-02-29T12:34:56.789000000',
      '2024-02-29T12:34:56.789012345',
    ])
  })
})

describe('lists of Parquet in the forms of old writers', () => {
  const LIST = { name: 'l', repetition: 'optional', converted: 3, children: 1 } as const
  const ints = (...all: number[]): Buffer[] =>
    all.map((one) => {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32LE(one)
      return bytes
    })
  const values = ints(1, 2, 3)
  /** `[1, 2]`, null, `[]`, `[3]`. */
  const repetitions = [0, 1, 0, 0, 0]

  const forms: Record<string, { elements: readonly Element[]; chunks: readonly Chunk[]; rows: readonly unknown[] }> = {
    'values that are repeated in a list': {
      elements: [LIST, { name: 'element', repetition: 'repeated', type: INT32 }],
      chunks: [{ path: ['l', 'element'], type: INT32, values, repetitions, definitions: [2, 2, 0, 1, 2] }],
      rows: [[1, 2], null, [], [3]],
    },
    'a group called array, which is the element': {
      elements: [
        LIST,
        { name: 'array', repetition: 'repeated', children: 1 },
        { name: 'n', repetition: 'required', type: INT32 },
      ],
      chunks: [{ path: ['l', 'array', 'n'], type: INT32, values, repetitions, definitions: [2, 2, 0, 1, 2] }],
      rows: [[{ n: 1 }, { n: 2 }], null, [], [{ n: 3 }]],
    },
    'a group called after its list, which is the element': {
      elements: [
        LIST,
        { name: 'l_tuple', repetition: 'repeated', children: 1 },
        { name: 'n', repetition: 'required', type: INT32 },
      ],
      chunks: [{ path: ['l', 'l_tuple', 'n'], type: INT32, values, repetitions, definitions: [2, 2, 0, 1, 2] }],
      rows: [[{ n: 1 }, { n: 2 }], null, [], [{ n: 3 }]],
    },
    'a group of two columns, which is the element whatever it is called': {
      elements: [
        LIST,
        { name: 'element', repetition: 'repeated', children: 2 },
        { name: 'n', repetition: 'required', type: INT32 },
        { name: 'm', repetition: 'optional', type: INT32 },
      ],
      chunks: [
        { path: ['l', 'element', 'n'], type: INT32, values, repetitions, definitions: [2, 2, 0, 1, 2] },
        { path: ['l', 'element', 'm'], type: INT32, values: ints(7), repetitions, definitions: [2, 3, 0, 1, 2] },
      ],
      rows: [
        [
          { n: 1, m: null },
          { n: 2, m: 7 },
        ],
        null,
        [],
        [{ n: 3, m: null }],
      ],
    },
    'a bag of elements, as Hive has it': {
      elements: [
        LIST,
        { name: 'bag', repetition: 'repeated', children: 1 },
        { name: 'array_element', repetition: 'optional', type: INT32 },
      ],
      chunks: [
        {
          path: ['l', 'bag', 'array_element'],
          type: INT32,
          values: ints(1, 3),
          repetitions,
          definitions: [3, 2, 0, 1, 3],
        },
      ],
      rows: [[1, null], null, [], [3]],
    },
    'a list of lists of two levels each': {
      elements: [
        { ...LIST, repetition: 'required' },
        { name: 'array', repetition: 'repeated', converted: 3, children: 1 },
        { name: 'array', repetition: 'repeated', type: INT32 },
      ],
      chunks: [
        {
          path: ['l', 'array', 'array'],
          type: INT32,
          values,
          repetitions: [0, 2, 1, 0, 0],
          definitions: [2, 2, 1, 0, 2],
        },
      ],
      rows: [[[1, 2], []], [], [[3]]],
    },
    'a column that is repeated, in no list': {
      elements: [{ name: 'l', repetition: 'repeated', type: INT32 }],
      chunks: [{ path: ['l'], type: INT32, values, repetitions: [0, 1, 0, 0], definitions: [1, 1, 0, 1] }],
      rows: [[1, 2], [], [3]],
    },
  }
  for (const [form, { elements, chunks, rows }] of Object.entries(forms)) {
    it(`P8: are arrays: ${form}`, async () => {
      const found = await read(rows.length, elements, chunks)
      deepEqual(found, { rows: rows.map((l) => ({ l })), reasons: [] })
    })
  }
})

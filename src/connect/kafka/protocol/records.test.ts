import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  compressionsAlgorithms,
  crc32c,
  createRecordsBatch,
  type MessageRecord,
  Reader,
  readRecordsBatches,
} from '@platformatic/kafka'
import fc from 'fast-check'
import { isSluiceError } from '../../../base/errors.ts'
import { times } from '../../../testing/times.ts'
import { decompressor } from './decompress.ts'
import { type AbortedTransaction, BadBatch, recordsIn } from './records.ts'

const LIMIT = 1024 * 1024
const tools = {
  checksum: crc32c,
  decompress: decompressor({
    title: 'topic a',
    maxBytes: LIMIT,
    snappy: (bytes) => compressionsAlgorithms.snappy.decompressSync(bytes),
    lz4: (bytes) => compressionsAlgorithms.lz4.decompressSync(bytes),
  }),
}
type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

interface BatchOptions {
  readonly at?: number
  readonly compression?: Compression
  /** A transaction of this producer. */
  readonly producer?: number
  /** It is no records, but the end of that transaction. */
  readonly end?: 'commit' | 'abort'
}

/** A batch as a server would have it. */
function batch(values: readonly (string | null)[], { at = 0, compression = 'none', producer, end }: BatchOptions = {}) {
  const messages = values.map((value, index): MessageRecord => {
    const key = end === undefined ? undefined : Buffer.from([0, 0, 0, end === 'abort' ? 0 : 1])
    return {
      topic: 'a',
      partition: 0,
      timestamp: BigInt(1_700_000_000_000 + index),
      value: (value === null ? null : Buffer.from(value)) as Buffer,
      ...(key === undefined ? {} : { key }),
      headers: new Map([[Buffer.from('n'), Buffer.from(String(index))]]),
    }
  })
  const options = { compression, ...(producer === undefined ? {} : { producerId: BigInt(producer) }) }
  const bytes = createRecordsBatch(messages, options).buffer
  bytes.writeBigInt64BE(BigInt(at), 0)
  const flags = (producer === undefined ? 0 : 1 << 4) | (end === undefined ? 0 : 1 << 5)
  bytes.writeInt16BE(bytes.readInt16BE(21) | flags, 21)
  return sealed(bytes)
}

/** With the checksum that it must have. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)) >>> 0, 17)
  return bytes
}

function read(bytes: Buffer, from = 0, aborted: readonly AbortedTransaction[] = []) {
  const { records, next } = recordsIn({ partition: 0, bytes, from, aborted }, tools)
  return {
    values: records.map(({ value }) => (value === undefined ? null : Buffer.from(value).toString())),
    next,
    records,
  }
}

const aborted = (...some: [producer: number, first: number][]): AbortedTransaction[] => {
  return some.map(([producer, first]) => ({ producerId: BigInt(producer), firstOffset: BigInt(first) }))
}

describe('recordsIn', () => {
  for (const compression of COMPRESSIONS) {
    it(`reads what another library has written, ${compression}`, () => {
      const bytes = batch(['one', '', null, 'x'.repeat(1000)], { at: 40, compression })
      const { values, next, records } = read(bytes)
      deepEqual([values, next], [['one', '', null, 'x'.repeat(1000)], 44])
      deepEqual(
        records.map(({ offset, timeMs }) => [offset, timeMs]),
        [40, 41, 42, 43].map((offset) => [offset, 1_700_000_000_000 + offset - 40]),
      )
      deepEqual(
        records.map(({ headers: [header] }) => header?.map(String)),
        ['0', '1', '2', '3'].map((n) => ['n', n]),
      )
    })
  }

  it('reads the same as another library, whatever is in it', () => {
    const text = fc.option(fc.string({ unit: 'binary', maxLength: 300 }))
    const some = fc.array(fc.tuple(fc.array(text, { minLength: 1, maxLength: 20 }), fc.constantFrom(...COMPRESSIONS)))
    fc.assert(
      fc.property(some, (batches) => {
        let at = 0
        const all = batches.map(([values, compression]) => {
          const bytes = batch(values, { at, compression })
          at += values.length
          return bytes
        })
        const bytes = Buffer.concat(all)
        const expected = readRecordsBatches(Reader.from(Buffer.from(bytes))).flatMap(({ firstOffset, records }) => {
          return records.map(({ offsetDelta, value }) => [Number(firstOffset) + offsetDelta, value && String(value)])
        })
        const { records, next } = read(bytes)
        deepEqual(
          records.map(({ offset, value }) => [offset, value === undefined ? null : Buffer.from(value).toString()]),
          expected,
        )
        equal(next, at)
      }),
      { numRuns: times(200) },
    )
  })

  it('begins in the middle of a batch, and leaves one that is not whole', () => {
    const bytes = Buffer.concat([batch(['a', 'b', 'c'], { at: 7 }), batch(['d'], { at: 10 })])
    deepEqual(read(bytes, 9), { ...read(bytes, 9), values: ['c', 'd'], next: 11 })
    for (let cut = 1; cut < 60; cut += 7) {
      const { values, next } = read(bytes.subarray(0, -cut), 8)
      deepEqual([values, next], [['b', 'c'], 10])
    }
    deepEqual(read(bytes.subarray(0, 30), 7).next, 7)
    // Offsets of records that were removed since are nobody's.
    deepEqual(read(batch(['e'], { at: 50 }), 11).next, 51)
  })

  it('passes over what was taken back, and over the ends of transactions', () => {
    const bytes = Buffer.concat([
      batch(['taken back'], { at: 0, producer: 1 }),
      batch(['kept'], { at: 1, producer: 2 }),
      batch(['taken back, too'], { at: 2, producer: 1 }),
      batch(['of nobody'], { at: 3 }),
      batch([''], { at: 4, producer: 1, end: 'abort' }),
      batch(['the next of the same'], { at: 5, producer: 1 }),
      batch([''], { at: 6, producer: 2, end: 'commit' }),
      batch([''], { at: 7, producer: 1, end: 'commit' }),
    ])
    const { values, next } = read(bytes, 0, aborted([1, 0]))
    deepEqual([values, next], [['kept', 'of nobody', 'the next of the same'], 8])
  })

  it('tells transactions of one producer apart that come one after the other', () => {
    const bytes = Buffer.concat([
      batch(['no'], { at: 0, producer: 1 }),
      batch([''], { at: 1, producer: 1, end: 'abort' }),
      batch(['yes'], { at: 2, producer: 1 }),
      batch([''], { at: 3, producer: 1, end: 'commit' }),
      batch(['no again'], { at: 4, producer: 1 }),
      batch([''], { at: 5, producer: 1, end: 'abort' }),
    ])
    // In any order, and with one that began before what was asked for.
    deepEqual(read(bytes, 0, aborted([1, 4], [1, 0])).values, ['yes'])
    deepEqual(read(bytes.subarray(batch(['no'], { producer: 1 }).length), 1, aborted([1, 0], [1, 4])).values, ['yes'])
  })

  it('gives the time at which the server took them, where the topic says so', () => {
    const bytes = batch(['a', 'b'])
    bytes.writeInt16BE(1 << 3, 21)
    bytes.writeBigInt64BE(1_800_000_000_000n, 35)
    deepEqual(
      read(sealed(bytes)).records.map(({ timeMs }) => timeMs),
      [1_800_000_000_000, 1_800_000_000_000],
    )
  })

  it('refuses what is not what was written, with the offset', () => {
    const good = batch(['one', 'two'], { at: 12 })
    const cases: [string, (bytes: Buffer) => void, RegExp][] = [
      ['a bit', (bytes) => bytes.writeUInt8(bytes.readUInt8(70) ^ 1, 70), /^the checksum is wrong$/],
      ['an old format', (bytes) => bytes.writeInt8(1, 16), /^records of format 1, older than Kafka 0\.11/],
      ['no length', (bytes) => bytes.writeInt32BE(3, 8), /^it is not a batch of records$/],
      ['too many', (bytes) => sealed(bytes).writeInt32BE(3, 57), /checksum/],
    ]
    for (const [name, spoil, reason] of cases) {
      const bytes = Buffer.from(good)
      spoil(bytes)
      throws(
        () => read(bytes, 12),
        (error: unknown) => error instanceof BadBatch && error.offset === 12 && reason.test(error.message),
        name,
      )
    }
    const short = Buffer.from(good)
    short.writeInt32BE(3, 57)
    throws(() => read(sealed(short), 12), /^Error: its records end in the middle of one$/)
    const other = Buffer.from(good)
    other.writeInt16BE(7, 21)
    throws(() => read(sealed(other), 12), /^Error: it cannot be decompressed \(compression 7 is unknown\)$/)
  })

  it('never reads beyond what it was given, whatever that is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 60 }), fc.nat(200), (junk, at) => {
        const bytes = Buffer.from(batch(['one', 'two', 'three']))
        bytes.set(junk.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length))
        if (bytes.length > 21) sealed(bytes)
        try {
          const { records } = read(bytes)
          ok(records.every(({ value }) => value === undefined || value.length <= bytes.length))
        } catch (error) {
          ok(error instanceof BadBatch || isSluiceError(error, 'SOURCE_LIMIT'), String(error))
        }
      }),
      { numRuns: times(2000) },
    )
  })

  it('refuses a batch that becomes more than it may', () => {
    const zeros = 'x'.repeat(LIMIT + 1)
    for (const compression of COMPRESSIONS.slice(1)) {
      throws(
        () => read(batch([zeros], { at: 3, compression }), 3),
        {
          code: 'SOURCE_LIMIT',
          message: /^Cannot read topic a: the batch at offset 3 is over 1048576 bytes \(maxBatchBytes\)$/,
        },
        compression,
      )
    }
    ok(gzipSync(zeros).length < 5000)
  })
})

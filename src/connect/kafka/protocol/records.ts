// Batches of records, as a Kafka partition holds them (format 2), read to records.

/** A record as it came. */
export interface KafkaRecord {
  readonly partition: number
  readonly offset: number
  readonly timeMs: number
  readonly key: Uint8Array | undefined
  /** Undefined: a tombstone, which deletes its key. */
  readonly value: Uint8Array | undefined
  readonly headers: readonly (readonly [Uint8Array, Uint8Array | undefined])[]
}

/** Records from `firstOffset` on of this producer were aborted. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

export interface FetchedBytes {
  readonly partition: number
  readonly bytes: Buffer
  /** The first requested offset: a batch may start before it. */
  readonly from: number
  readonly aborted: readonly AbortedTransaction[]
}

/**
 * @param kind - as in the batch: 0 for none, 1 for gzip, 2 for Snappy, 3 for LZ4, 4 for Zstandard
 */
export type Decompress = (kind: number, bytes: Buffer, offset: number) => Buffer

export interface BatchTools {
  /** The checksum that batches carry (CRC-32C). */
  readonly checksum: (bytes: Buffer) => number
  readonly decompress: Decompress
}

/** Bytes of a partition that are not batches of records, or were damaged. */
export class BadBatch extends Error {
  readonly offset: number

  constructor(offset: number, found: string) {
    super(found)
    this.offset = offset
  }
}

// Offsets of the fields of a batch.
const LENGTH = 8
const MAGIC = 16
const CHECKSUM = 17
const ATTRIBUTES = 21
const LAST_DELTA = 23
const FIRST_TIME = 27
const MAX_TIME = 35
const PRODUCER = 43
const COUNT = 57
const RECORDS = 61

const COMPRESSION = 0b111
const IS_APPEND_TIME = 1 << 3
const IS_TRANSACTIONAL = 1 << 4
const IS_CONTROL = 1 << 5

/**
 * The records in what was fetched, without those of aborted transactions, and the next offset. An incomplete batch is
 * left for the next time.
 *
 * @throws {BadBatch} for invalid data
 */
export function recordsIn(
  { partition, bytes, from, aborted }: FetchedBytes,
  tools: BatchTools,
): { readonly records: readonly KafkaRecord[]; readonly next: number } {
  const records: KafkaRecord[] = []
  const takenBack = new TakenBack(aborted)
  let next = from
  for (let at = 0; bytes.length - at >= RECORDS; ) {
    const size = LENGTH + 4 + bytes.readInt32BE(at + LENGTH)
    if (size < RECORDS) throw new BadBatch(next, 'it is not a batch of records')
    if (size > bytes.length - at) break
    const batch = bytes.subarray(at, at + size)
    at += size
    const firstOffset = Number(batch.readBigInt64BE(0))
    const lastOffset = firstOffset + batch.readInt32BE(LAST_DELTA)
    if (lastOffset < from) continue
    next = lastOffset + 1
    checkBatch(batch, firstOffset, tools)
    const attributes = batch.readInt16BE(ATTRIBUTES)
    const producer = batch.readBigInt64BE(PRODUCER)
    takenBack.begin(lastOffset)
    if ((attributes & IS_CONTROL) !== 0) takenBack.end(producer)
    else if ((attributes & IS_TRANSACTIONAL) === 0 || !takenBack.has(producer)) {
      const body = tools.decompress(attributes & COMPRESSION, batch.subarray(RECORDS), firstOffset)
      readRecords({ partition, batch, body, firstOffset, from }, records)
    }
  }
  return { records, next }
}

/** Which producers' records are aborted, from one offset to the next. */
class TakenBack {
  readonly #coming: AbortedTransaction[]
  readonly #producers = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset))
  }

  /** A batch that ends here is next. */
  begin(lastOffset: number): void {
    while (this.#coming.length > 0 && Number(this.#coming[0]?.firstOffset) <= lastOffset) {
      this.#producers.add((this.#coming.shift() as AbortedTransaction).producerId)
    }
  }

  has(producer: bigint): boolean {
    return this.#producers.has(producer)
  }

  /** A transaction of this producer ends. */
  end(producer: bigint): void {
    this.#producers.delete(producer)
  }
}

function checkBatch(batch: Buffer, offset: number, { checksum }: BatchTools): void {
  const magic = batch.readInt8(MAGIC)
  if (magic !== 2) throw new BadBatch(offset, `records of format ${magic}, older than Kafka 0.11, are not read`)
  if (checksum(batch.subarray(ATTRIBUTES)) >>> 0 === batch.readUInt32BE(CHECKSUM)) return
  throw new BadBatch(offset, 'the checksum is wrong')
}

interface OpenBatch {
  readonly partition: number
  readonly batch: Buffer
  /** Its records, decompressed. */
  readonly body: Buffer
  readonly firstOffset: number
  readonly from: number
}

function readRecords({ partition, batch, body, firstOffset, from }: OpenBatch, into: KafkaRecord[]): void {
  const firstTime = Number(batch.readBigInt64BE(FIRST_TIME))
  const maxTime = Number(batch.readBigInt64BE(MAX_TIME))
  const isAppendTime = (batch.readInt16BE(ATTRIBUTES) & IS_APPEND_TIME) !== 0
  const reader = new VarReader(body, firstOffset)
  for (let left = batch.readInt32BE(COUNT); left > 0; left -= 1) {
    const size = reader.number()
    const end = reader.at + size
    reader.skip(1) // Attributes, which are unused.
    const madeMs = firstTime + reader.number()
    const offset = firstOffset + reader.number()
    const key = reader.bytes()
    const value = reader.bytes()
    const headers: [Uint8Array, Uint8Array | undefined][] = []
    for (let more = reader.number(); more > 0; more -= 1) {
      const name = reader.bytes()
      headers.push([name ?? new Uint8Array(), reader.bytes()])
    }
    if (reader.at !== end) throw new BadBatch(firstOffset, 'a record does not end where it should')
    if (offset >= from) into.push({ partition, offset, timeMs: isAppendTime ? maxTime : madeMs, key, value, headers })
  }
}

/** Reads varints, and what they are the length of. */
class VarReader {
  readonly #bytes: Buffer
  readonly #batch: number
  at = 0

  constructor(bytes: Buffer, batch: number) {
    this.#bytes = bytes
    this.#batch = batch
  }

  /** Zigzag: 0, -1, 1, -2… */
  number(): number {
    const bytes = this.#bytes
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = bytes[this.at]
      if (byte === undefined || scale > 2 ** 63) throw this.#short()
      this.at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 128
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  bytes(): Uint8Array | undefined {
    const size = this.number()
    if (size < 0) return undefined
    const start = this.at
    this.skip(size)
    return this.#bytes.subarray(start, this.at)
  }

  skip(size: number): void {
    if (size > this.#bytes.length - this.at) throw this.#short()
    this.at += size
  }

  #short(): BadBatch {
    return new BadBatch(this.#batch, 'its records end in the middle of one')
  }
}

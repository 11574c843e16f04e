// Parquet files byte by byte: forms that no writer at hand makes any more.

/** A value of Thrift's compact protocol. */
interface Thrift {
  readonly kind: number
  readonly bytes: Buffer
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(left)])
}

const zigzag = (value: number): Buffer => varint(value < 0 ? BigInt(value) * -2n - 1n : BigInt(value) * 2n)
const i32 = (value: number): Thrift => ({ kind: 5, bytes: zigzag(value) })
const i64 = (value: number): Thrift => ({ kind: 6, bytes: zigzag(value) })
const text = (value: string): Thrift => ({
  kind: 8,
  bytes: Buffer.concat([varint(BigInt(Buffer.byteLength(value))), Buffer.from(value)]),
})
const list = (values: readonly Thrift[]): Thrift => ({
  kind: 9,
  bytes: Buffer.concat([Buffer.of((values.length << 4) | (values[0]?.kind ?? 5)), ...values.map(({ bytes }) => bytes)]),
})

/** Fields by their number; those that are undefined are left out. */
function struct(fields: Readonly<Record<number, Thrift | undefined>>): Thrift {
  let last = 0
  const parts = Object.entries(fields).flatMap(([id, field]) => {
    if (field === undefined) return []
    const head = Buffer.of(((Number(id) - last) << 4) | field.kind)
    last = Number(id)
    return [head, field.bytes]
  })
  return { kind: 12, bytes: Buffer.concat([...parts, Buffer.of(0)]) }
}

export const INT32 = 1
export const INT96 = 3
export const FIXED = 7

/** A line of the schema: a column with values, or a group of those that follow. */
export interface Element {
  readonly name: string
  readonly repetition: 'required' | 'optional' | 'repeated'
  readonly type?: number
  readonly length?: number
  readonly children?: number
  /** An annotation of old writers: 3 is a list. */
  readonly converted?: number
  /** The number of a logical type. */
  readonly logical?: number
}

/** The values of a column, with their levels where it is nested or may be null. */
export interface Chunk {
  readonly path: readonly string[]
  readonly type: number
  readonly values: readonly Buffer[]
  readonly repetitions?: readonly number[]
  readonly definitions?: readonly number[]
}

function elementOf({ name, repetition, type, length, children, converted, logical }: Element): Thrift {
  const of = (value: number | undefined): Thrift | undefined => (value === undefined ? undefined : i32(value))
  return struct({
    1: of(type),
    2: of(length),
    3: i32(['required', 'optional', 'repeated'].indexOf(repetition)),
    4: text(name),
    5: of(children),
    6: of(converted),
    10: logical === undefined ? undefined : struct({ [logical]: struct({}) }),
  })
}

/** Levels under 256, each as a run of its own. */
function levels(all: readonly number[] | undefined): Buffer {
  if (all === undefined) return Buffer.alloc(0)
  const runs = Buffer.from(all.flatMap((level) => [2, level]))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(runs.length)
  return Buffer.concat([length, runs])
}

/** A file of one row group, each column in one page. */
export function parquetFile(rows: number, elements: readonly Element[], chunks: readonly Chunk[]): Buffer {
  const parts: Buffer[] = [Buffer.from('PAR1')]
  let at = 4
  const columns = chunks.map(({ path, type, values, repetitions, definitions }) => {
    const page = Buffer.concat([levels(repetitions), levels(definitions), ...values])
    const count = definitions?.length ?? values.length
    const header = struct({
      1: i32(0),
      2: i32(page.length),
      3: i32(page.length),
      5: struct({ 1: i32(count), 2: i32(0), 3: i32(3), 4: i32(3) }),
    }).bytes
    const bytes = header.length + page.length
    const meta = struct({
      1: i32(type),
      2: list([i32(0), i32(3)]),
      3: list(path.map(text)),
      4: i32(0),
      5: i64(count),
      6: i64(bytes),
      7: i64(bytes),
      9: i64(at),
    })
    parts.push(header, page)
    at += bytes
    return struct({ 2: i64(at - bytes), 3: meta })
  })
  const top = elements.filter((_, place) => isTop(elements, place)).length
  const footer = struct({
    1: i32(1),
    2: list([struct({ 4: text('schema'), 5: i32(top) }), ...elements.map(elementOf)]),
    3: i64(rows),
    4: list([struct({ 1: list(columns), 2: i64(at - 4), 3: i64(rows) })]),
  }).bytes
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([...parts, footer, length, Buffer.from('PAR1')])
}

/** Whether a line of the schema is a column of the rows. */
function isTop(elements: readonly Element[], place: number): boolean {
  let inside = 0
  for (const { children = 0 } of elements.slice(0, place)) inside = Math.max(0, inside - 1) + children
  return inside === 0
}

// The header of each page of a column.

import { Damage } from './errors.ts'
import { type FieldType, ThriftReader } from './thrift.ts'

export interface PageHeader {
  readonly kind: 'data' | 'data-2' | 'dictionary' | 'index'
  /** The size of the header itself. */
  readonly headerBytes: number
  /** The size of what follows the header. */
  readonly bytes: number
  /** The decompressed size; for `data-2` including its levels, which are not compressed. */
  readonly fullBytes: number
  /** CRC-32 of what follows, as stored; undefined if absent. */
  readonly crc: number | undefined
  /** How many values it has, including nulls. */
  readonly values: number
  /** The number of the encoding of its values. */
  readonly encoding: number
  /** For `data`: the encodings of its levels. */
  readonly definitionEncoding: number
  readonly repetitionEncoding: number
  /** For `data-2`: the size of its levels in bytes. */
  readonly definitionBytes: number
  readonly repetitionBytes: number
  readonly isCompressed: boolean
}

const KINDS = ['data', 'index', 'dictionary', 'data-2'] as const

/** The field of the header that describes a page of each kind. */
const DETAILS: Readonly<Record<PageHeader['kind'], number>> = { data: 5, index: 6, dictionary: 7, 'data-2': 8 }

export function parsePageHeader(bytes: Buffer): PageHeader {
  const reader = new ThriftReader(bytes)
  const numbers: Record<number, number> = {}
  const details: Record<number, Details> = {}
  reader.structure((id, type) => {
    if (id === 1 || id === 2 || id === 3) numbers[id] = reader.count(type)
    else if (id === 4) numbers[id] = reader.integer(type)
    else if (type === 12) details[id] = readDetails(reader)
    else return false
    return true
  })
  const kind = KINDS[numbers[1] ?? -1]
  const { 2: fullBytes, 3: stored, 4: crc } = numbers
  if (kind === undefined) throw new Damage(`pages of type ${numbers[1]} are unknown`)
  if (fullBytes === undefined || stored === undefined) throw new Damage('a page has no size')
  const { numbers: found, isCompressed } = details[DETAILS[kind]] ?? { numbers: {}, isCompressed: true }
  const isSecond = kind === 'data-2'
  const [values, encoding] = [found[1], isSecond ? found[4] : found[2]]
  if (kind !== 'index' && (values === undefined || encoding === undefined)) {
    throw new Damage('a page does not say what it holds')
  }
  return {
    kind,
    headerBytes: reader.at,
    bytes: stored,
    fullBytes,
    crc: crc === undefined ? undefined : crc >>> 0,
    values: values ?? 0,
    encoding: encoding ?? 0,
    definitionEncoding: found[3] ?? 0,
    repetitionEncoding: isSecond ? 0 : (found[4] ?? 0),
    definitionBytes: isSecond ? (found[5] ?? 0) : 0,
    repetitionBytes: isSecond ? (found[6] ?? 0) : 0,
    isCompressed,
  }
}

interface Details {
  readonly numbers: Readonly<Record<number, number>>
  readonly isCompressed: boolean
}

function readDetails(reader: ThriftReader): Details {
  const numbers: Record<number, number> = {}
  let isCompressed = true
  reader.structure((id: number, type: FieldType) => {
    if (type === 1 || type === 2) {
      if (id === 7) isCompressed = reader.boolean(type)
      return id === 7
    }
    if (type !== 5) return false
    numbers[id] = reader.count(type)
    return true
  })
  return { numbers, isCompressed }
}

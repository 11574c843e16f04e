// The physical types of values in a file.

import { Damage } from './errors.ts'
import type { SchemaElement } from './footer.ts'

/** By their numbers in the footer. */
export const PHYSICAL_TYPES = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const

export type PhysicalType = (typeof PHYSICAL_TYPES)[number]

/** A type with its width in bytes; 0 for variable length, and for BOOLEAN. */
export interface Physical {
  readonly type: PhysicalType
  readonly width: number
}

const WIDTHS: Readonly<Record<PhysicalType, number>> = {
  BOOLEAN: 0,
  INT32: 4,
  INT64: 8,
  INT96: 12,
  FLOAT: 4,
  DOUBLE: 8,
  BYTE_ARRAY: 0,
  FIXED_LEN_BYTE_ARRAY: 0,
}

export function physicalOf({ name, type, typeLength }: SchemaElement): Physical {
  const found = PHYSICAL_TYPES[type ?? -1]
  if (found === undefined) throw new Damage(`column ${name} has an unknown type: ${type}`)
  if (found !== 'FIXED_LEN_BYTE_ARRAY') return { type: found, width: WIDTHS[found] }
  if (typeLength === 0) throw new Damage(`the values of column ${name} have no length`)
  return { type: found, width: typeLength }
}

/**
 * Makes values from a page's content. A number is a JavaScript number, a bigint only beyond 2^53; BYTE_ARRAY,
 * FIXED_LEN_BYTE_ARRAY and INT96 are given as a byte range, which must not be kept.
 */
export interface Conversion {
  /** Undefined if the number is the value. */
  readonly ofNumber?: (value: number | bigint) => unknown
  readonly ofBytes?: (bytes: Buffer, from: number, to: number) => unknown
  /** Whether each value is an object, which rows must not share. */
  readonly isFresh: boolean
}

/** Instead of a value that cannot be represented. */
export class Refusal {
  readonly reason: string
  /** The value, for people. */
  readonly shown: string

  constructor(reason: string, shown: string) {
    this.reason = reason
    this.shown = shown
  }
}

const HIGH = 2 ** 32
const HIGHEST = 2 ** 21

/** Eight bytes as a number, or as a bigint if that would not be exact. */
export function int64At(bytes: Buffer, at: number): number | bigint {
  const high = bytes.readInt32LE(at + 4)
  if (high < HIGHEST && high >= -HIGHEST) {
    const value = high * HIGH + bytes.readUInt32LE(at)
    if (value !== -Number.MAX_SAFE_INTEGER - 1) return value
  }
  return bytes.readBigInt64LE(at)
}

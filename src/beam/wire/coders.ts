// Values as the bytes of Beam's model coders, and back.

import { invariant } from '../../base/invariant.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

/** Writes and reads values of one kind. */
export interface Coder<T> {
  write(value: T, to: ByteWriter): void
  read(from: ByteReader): T
}

/** Bytes after their length. */
export const bytesCoder: Coder<Uint8Array> = {
  write(value, to) {
    to.varint(value.length)
    to.bytes(value)
  },
  read: (from) => from.bytes(from.length()),
}

export const textCoder: Coder<string> = {
  write: (value, to) => to.text(value),
  read: (from) => from.text(),
}

/** Integers of 64 bits, small ones in few bytes. */
export const varintCoder: Coder<bigint> = {
  write: (value, to) => to.varint(value),
  read: (from) => from.varint(),
}

export const booleanCoder: Coder<boolean> = {
  write: (value, to) => to.byte(value ? 1 : 0),
  read: (from) => from.byte() === 1,
}

export const doubleCoder: Coder<number> = {
  write: (value, to) => to.double(value),
  read: (from) => from.double(),
}

export function kvCoder<K, V>(key: Coder<K>, value: Coder<V>): Coder<readonly [K, V]> {
  return {
    write([k, v], to) {
      key.write(k, to)
      value.write(v, to)
    },
    read: (from) => [key.read(from), value.read(from)],
  }
}

/** A value after its length in bytes. */
export function lengthPrefixCoder<T>(of: Coder<T>): Coder<T> {
  return {
    write(value, to) {
      const start = to.length
      of.write(value, to)
      to.prefix(start)
    },
    read(from) {
      const bytes = from.length()
      return from.within(bytes, () => of.read(from))
    },
  }
}

/** A count, or blocks that have one each where it was not known beforehand. */
export function iterableCoder<T>(of: Coder<T>): Coder<readonly T[]> {
  return {
    write(values, to) {
      to.int32(values.length)
      for (const value of values) of.write(value, to)
    },
    read(from) {
      const values: T[] = []
      const count = from.int32()
      invariant(count >= -1, `a group has the count ${count}`)
      if (count >= 0) for (let left = count; left > 0; left -= 1) values.push(of.read(from))
      else readBlocks(of, from, values)
      return values
    },
  }
}

function readBlocks<T>(of: Coder<T>, from: ByteReader, into: T[]): void {
  for (let left = from.varint(); left !== 0n; left = from.varint()) {
    if (left < 0n) {
      throw new TypeError(
        'Cannot read a group of the engine: the rest of it must be asked for, which this worker did not offer',
      )
    }
    for (; left > 0n; left -= 1n) into.push(of.read(from))
  }
}

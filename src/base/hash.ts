// A hash that is the same in every run and on every machine, for keys that are plain values.

import { describeValue } from './check.ts'

/** What can be a key: values that are equal when they are written the same. */
export type Key = string | number | bigint | boolean

/**
 * A 32-bit hash of a key, the same everywhere: FNV-1a over the UTF-16 units of its canonical text, mixed at the end.
 *
 * Keys of different types are different keys (`1` and `'1'`); `-0` is `0`.
 *
 * @throws {TypeError} for anything that has no one way of being written: objects, NaN, undefined
 * @example
 * stableHash('sensor-7') === stableHash('sensor-7') // => true
 * stableHash(1) === stableHash('1') // => false
 */
export function stableHash(key: Key): number {
  switch (typeof key) {
    case 'string':
      return hashText(0x53, key)
    case 'number':
      if (Number.isNaN(key)) break
      return Number.isInteger(key) && key >= -0x80000000 && key <= 0x7fffffff ? mix(key | 0) : hashText(0x4e, `${key}`)
    case 'bigint':
      return hashText(0x42, `${key}`)
    case 'boolean':
      return mix(key ? 0x74727565 : 0x66616c73)
  }
  throw new TypeError(`A key is a string, number, bigint or boolean: found ${describeValue(key)}`)
}

function hashText(seed: number, text: string): number {
  let hash = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

/** Spreads every bit over all others, so that neighbouring keys do not share a remainder. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

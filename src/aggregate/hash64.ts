// A 64-bit hash of a value, for counting more different ones than 32 bits tell apart.

import type { Value } from './value.ts'

const number = new Float64Array(1)
const halves = new Uint32Array(number.buffer)

/**
 * Hashes a value into two words of 32 bits; the same on every machine. Values of different types are different values
 * (`1` and `'1'`); `-0` is `0`.
 *
 * @param into - where the two words go: an array of two, to be used again and again
 */
export function hash64(value: Value, into: Uint32Array): void {
  switch (typeof value) {
    case 'string':
      return hashText(0x53, value, into)
    case 'bigint':
      return hashText(0x42, `${value}`, into)
    case 'number':
      number[0] = value + 0
      // Node runs on little-endian machines only, as far as its own builds go: the same halves everywhere.
      return finish((halves[0] as number) ^ 0x4e3a_91c7, (halves[1] as number) ^ 0x17d6_5b2d, into)
    case 'boolean':
      return finish(value ? 0x7472_7565 : 0x6661_6c73, 0x0b00_1ea0, into)
    case 'object':
      return finish(0x6e75_6c6c, 0x0000_0001, into)
  }
}

/** Two lanes over the same units, with other multipliers and turns: a collision in one is none in the other. */
function hashText(seed: number, text: string, into: Uint32Array): void {
  let a = 0x9e37_79b9 ^ seed
  let b = 0x7f4a_7c15 ^ Math.imul(seed, 0x0101_0101)
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x2c1b_3c6d)
    a ^= a >>> 15
    b = Math.imul((b << 7) ^ (b >>> 25) ^ unit, 0x297a_2d39)
    b ^= b >>> 13
  }
  finish(a ^ text.length, b, into)
}

/** Spreads every bit of both words over both. */
function finish(first: number, second: number, into: Uint32Array): void {
  const a = mix(first + Math.imul(second, 0x85eb_ca6b))
  const b = mix(second ^ Math.imul(a, 0xc2b2_ae35))
  into[0] = mix(a + b)
  into[1] = b
}

function mix(word: number): number {
  let mixed = word ^ (word >>> 16)
  mixed = Math.imul(mixed, 0x7feb_352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846c_a68b)
  return mixed ^ (mixed >>> 16)
}

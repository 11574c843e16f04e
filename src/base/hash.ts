// Hashes that are the same in every run and on every machine: MurmurHash3 as published, of 32 and of 128 bits.
//
// Texts are hashed as their UTF-16 units, two bytes each, the lower one first: what they are in memory.

import { describeValue } from './check.ts'

/** What can be a key: values are equal if they are written the same. */
export type Key = string | number | bigint | boolean

/** Seeds: values of different types are different values, however they are written. */
const TEXT = 0x53
const BIGINT = 0x42
const NUMBER = 0x4e
const BOOLEAN = 0x3f
const NULL = 0x30

const double = new Float64Array(1)
// Node runs on little-endian machines only, as far as its own builds go: the same halves everywhere.
const halves = new Uint32Array(double.buffer)

/**
 * A 32-bit hash of a key. Keys of different types are different keys (`1` and `'1'`); `-0` is `0`.
 *
 * @throws {TypeError} for anything without one canonical form: objects, NaN, undefined
 * @example
 * stableHash('sensor-7') === stableHash('sensor-7') // => true
 * stableHash(1) === stableHash('1') // => false
 */
export function stableHash(key: Key): number {
  switch (typeof key) {
    case 'string':
      return hashText(key, TEXT)
    case 'number':
      if (Number.isNaN(key)) break
      double[0] = key + 0
      return mix(round(round(NUMBER, halves[0] as number), halves[1] as number) ^ 8)
    case 'bigint':
      return hashText(`${key}`, BIGINT)
    case 'boolean':
      return mix(round(BOOLEAN, key ? 1 : 0) ^ 4)
  }
  throw new TypeError(`A key is a string, number, bigint or boolean: found ${describeValue(key)}`)
}

/**
 * MurmurHash3_x86_32 of a text.
 *
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
export function hashText(text: string, seed: number): number {
  const { length } = text
  const even = length & ~1
  let hash = seed
  for (let at = 0; at < even; at += 2) hash = round(hash, wordAt(text, at))
  if (even < length) hash ^= scattered(text.charCodeAt(even), 0xcc9e2d51, 15, 0x1b873593)
  return mix(hash ^ (2 * length))
}

function round(hash: number, word: number): number {
  const mixed = hash ^ scattered(word, 0xcc9e2d51, 15, 0x1b873593)
  return (Math.imul(turned(mixed, 13), 5) + 0xe6546b64) | 0
}

/**
 * A 64-bit hash of a value: the first two words of MurmurHash3_x86_128, for counting more different values than 32 bits
 * tell apart.
 *
 * @param into - where the two words go: an array of two, to be used again and again
 */
export function hash64(value: Key | null, into: Uint32Array): void {
  switch (typeof value) {
    case 'string':
      return hashText64(value, TEXT, into)
    case 'bigint':
      return hashText64(`${value}`, BIGINT, into)
    case 'number':
      double[0] = value + 0
      return finish(part1(NUMBER, halves[0] as number), part2(NUMBER, halves[1] as number), NUMBER, NUMBER, 8, into)
    case 'boolean':
      return finish(part1(BOOLEAN, value ? 1 : 0), BOOLEAN, BOOLEAN, BOOLEAN, 4, into)
    case 'object':
      return finish(NULL, NULL, NULL, NULL, 0, into)
  }
}

/** Four lanes over words of the text in turn. */
export function hashText64(text: string, seed: number, into: Uint32Array): void {
  const { length } = text
  let [a, b, c, d] = [seed, seed, seed, seed]
  let at = 0
  for (const whole = length & ~7; at < whole; at += 8) {
    a = (Math.imul(turned(part1(a, wordAt(text, at)), 19) + b, 5) + 0x561ccd1b) | 0
    b = (Math.imul(turned(part2(b, wordAt(text, at + 2)), 17) + c, 5) + 0x0bcaa747) | 0
    c = (Math.imul(turned(part3(c, wordAt(text, at + 4)), 15) + d, 5) + 0x96cd1c35) | 0
    d = (Math.imul(turned(part4(d, wordAt(text, at + 6)), 13) + a, 5) + 0x32ac3b17) | 0
  }
  const rest = length - at
  if (rest > 6) d = part4(d, lastWordAt(text, at + 6))
  if (rest > 4) c = part3(c, lastWordAt(text, at + 4))
  if (rest > 2) b = part2(b, lastWordAt(text, at + 2))
  if (rest > 0) a = part1(a, lastWordAt(text, at))
  finish(a, b, c, d, 2 * length, into)
}

function part1(lane: number, word: number): number {
  return lane ^ scattered(word, 0x239b961b, 15, 0xab0e9789)
}

function part2(lane: number, word: number): number {
  return lane ^ scattered(word, 0xab0e9789, 16, 0x38b34ae5)
}

function part3(lane: number, word: number): number {
  return lane ^ scattered(word, 0x38b34ae5, 17, 0xa1e38b93)
}

function part4(lane: number, word: number): number {
  return lane ^ scattered(word, 0xa1e38b93, 18, 0x239b961b)
}

/** Each lane is mixed into the others, twice. */
function finish(one: number, two: number, three: number, four: number, bytes: number, into: Uint32Array): void {
  let a = one ^ bytes
  let [b, c, d] = [two ^ bytes, three ^ bytes, four ^ bytes]
  a = (a + b + c + d) | 0
  b = mix(b + a)
  c = mix(c + a)
  d = mix(d + a)
  a = (mix(a) + b + c + d) | 0
  into[0] = a
  into[1] = b + a
}

/** Two units; there are as many. */
function wordAt(text: string, at: number): number {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)
}

/** Two units, or the last one. */
function lastWordAt(text: string, at: number): number {
  return at + 1 < text.length ? wordAt(text, at) : text.charCodeAt(at)
}

function scattered(word: number, before: number, turn: number, after: number): number {
  return Math.imul(turned(Math.imul(word, before), turn), after)
}

function turned(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** The last step of both: every bit spreads over all others, so that neighbours do not share a remainder. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

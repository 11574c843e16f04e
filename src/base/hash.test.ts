import { deepEqual, equal, notDeepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../testing/times.ts'
import { hash64, hashText, hashText64, type Key, stableHash } from './hash.ts'

const NEIGHBOURS = times(300_000)

/** MurmurHash3_x86_32 and MurmurHash3_x86_128 of bytes, step by step as they are published. */
const PUBLISHED = {
  32: (bytes: Uint8Array, seed: number): number[] => {
    const [hash = 0] = lanesOf(bytes, seed, [[0xcc9e2d51, 15, 0x1b873593, 13, 0xe6546b64]])
    return [fmix((hash ^ bytes.length) | 0)]
  },
  128: (bytes: Uint8Array, seed: number): number[] => {
    const lanes = lanesOf(bytes, seed, [
      [0x239b961b, 15, 0xab0e9789, 19, 0x561ccd1b],
      [0xab0e9789, 16, 0x38b34ae5, 17, 0x0bcaa747],
      [0x38b34ae5, 17, 0xa1e38b93, 15, 0x96cd1c35],
      [0xa1e38b93, 18, 0x239b961b, 13, 0x32ac3b17],
    ])
    return mingled(mingled(lanes.map((lane) => lane ^ bytes.length)).map(fmix)).map((lane) => lane >>> 0)
  },
}

type Lane = readonly [before: number, turn: number, after: number, turnLane: number, add: number]

function lanesOf(bytes: Uint8Array, seed: number, rules: readonly Lane[]): number[] {
  const hashes = rules.map(() => seed | 0)
  const size = 4 * rules.length
  for (let from = 0; from < bytes.length; from += size) {
    const block = bytes.subarray(from, from + size)
    for (const [at, [before, turn, after, turnLane, add]] of rules.entries()) {
      const word = block.subarray(4 * at, 4 * at + 4).reduceRight((all, byte) => (all << 8) | byte, 0)
      const mixed = (hashes[at] as number) ^ Math.imul(rotl(Math.imul(word, before), turn), after)
      const next = hashes.length === 1 ? 0 : (hashes[(at + 1) % hashes.length] as number)
      hashes[at] = block.length < size ? mixed : (Math.imul((rotl(mixed, turnLane) + next) | 0, 5) + add) | 0
    }
  }
  return hashes
}

function mingled([first = 0, ...others]: readonly number[]): number[] {
  const sum = others.reduce((all, lane) => (all + lane) | 0, first)
  return [sum, ...others.map((lane) => (lane + sum) | 0)]
}

function rotl(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

function fmix(word: number): number {
  const once = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return (twice ^ (twice >>> 16)) >>> 0
}

/** The value by which SMHasher tells whether a hash is the one that it is said to be. */
function verification(hash: (bytes: Uint8Array, seed: number) => number[]): number {
  const hashes = Array.from({ length: 256 }, (_, n) =>
    hash(
      Uint8Array.from({ length: n }, (_, i) => i),
      256 - n,
    ),
  )
  return hash(bytesOf(hashes.flat()), 0)[0] as number
}

function bytesOf(words: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer)
}

function wordsOf(value: Key | null): number[] {
  const words = new Uint32Array(2)
  hash64(value, words)
  return [...words]
}

describe('MurmurHash3', () => {
  it('is written down here as it is published', () => {
    equal(verification(PUBLISHED[32]), 0xb0f57ee3)
    equal(verification(PUBLISHED[128]), 0xb3ece62a)
  })

  it('of texts is that of their units', () => {
    equal(hashText('', 0), 0)
    equal(hashText('', 1), 0x514e28b7)
    equal(hashText('\u4321\u8765', 0), 0xf55b516b)
    equal(hashText('\u4321', 0), 0xa0f7b07a)
    const words = new Uint32Array(2)
    const texts = fc.string({ unit: 'binary', maxLength: 70 })
    fc.assert(
      fc.property(texts, fc.nat(0xffff_ffff), (text, seed) => {
        const bytes = Uint8Array.from(Buffer.from(text, 'utf16le'))
        equal(hashText(text, seed), PUBLISHED[32](bytes, seed)[0])
        hashText64(text, seed, words)
        deepEqual([...words], PUBLISHED[128](bytes, seed).slice(0, 2))
      }),
    )
  })

  it('of numbers is that of their eight bytes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (number) => {
        const bytes = new Uint8Array(Float64Array.of(number + 0).buffer)
        equal(stableHash(number), PUBLISHED[32](bytes, 0x4e)[0])
        deepEqual(wordsOf(number), PUBLISHED[128](bytes, 0x4e).slice(0, 2))
      }),
    )
  })
})

describe('hashes of values', () => {
  it('take -0 for 0, and 1 for no other type of 1', () => {
    deepEqual([stableHash(-0), wordsOf(-0)], [stableHash(0), wordsOf(0)])
    const ones = [1, '1', 1n, true] as const
    equal(new Set(ones.map((one) => `${wordsOf(one)}`)).size, 4)
    equal(new Set(ones.map(stableHash)).size, 4)
    notDeepEqual(wordsOf(null), wordsOf('null'))
    notDeepEqual(wordsOf(true), wordsOf(false))
  })

  it('give neighbours as many different hashes, and each word of them hardly fewer', () => {
    for (const value of [(i: number): Key => i, (i: number): Key => `key-${i}`, (i: number): Key => i / 1000]) {
      const whole = new Set<bigint>()
      const words = [new Set<number>(), new Set<number>(), new Set<number>()]
      for (let i = 0; i < NEIGHBOURS; i += 1) {
        const [high = 0, low = 0] = wordsOf(value(i))
        whole.add((BigInt(high) << 32n) | BigInt(low))
        for (const [at, word] of [high, low, stableHash(value(i))].entries()) words[at]?.add(word)
      }
      equal(whole.size, NEIGHBOURS)
      // Of 300,000 words of 32 bits about 10 would meet another by chance.
      for (const one of words) equal(one.size > NEIGHBOURS - 40, true, `${one.size}`)
    }
  })
})

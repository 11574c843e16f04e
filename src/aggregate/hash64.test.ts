import { deepEqual, equal, notDeepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { times } from '../testing/times.ts'
import { hash64 } from './hash64.ts'
import type { Value } from './value.ts'

const NEIGHBOURS = times(300_000)

function wordsOf(value: Value): number[] {
  const words = new Uint32Array(2)
  hash64(value, words)
  return [...words]
}

describe('hash64', () => {
  it('takes -0 for 0, and 1 for no other type of 1', () => {
    deepEqual(wordsOf(-0), wordsOf(0))
    const ones = [1, '1', 1n, true].map((one) => `${wordsOf(one)}`)
    equal(new Set(ones).size, 4)
    notDeepEqual(wordsOf(null), wordsOf('null'))
  })

  it('gives neighbours as many different hashes, and each word of them hardly fewer', () => {
    for (const value of [(i: number): Value => i, (i: number): Value => `key-${i}`, (i: number): Value => i / 1000]) {
      const whole = new Set<bigint>()
      const words = [new Set<number>(), new Set<number>()]
      for (let i = 0; i < NEIGHBOURS; i += 1) {
        const [high = 0, low = 0] = wordsOf(value(i))
        whole.add((BigInt(high) << 32n) | BigInt(low))
        words[0]?.add(high)
        words[1]?.add(low)
      }
      equal(whole.size, NEIGHBOURS)
      // Of 300,000 words of 32 bits about 10 would meet another by chance.
      for (const one of words) equal(one.size > NEIGHBOURS - 40, true, `${one.size}`)
    }
  })
})

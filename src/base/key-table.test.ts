import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Key } from './hash.ts'
import { hashText } from './hash.ts'
import { KeyTable } from './key-table.ts'

const keys = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom('a', 'b', 'aa', 'x'.repeat(30), `${'x'.repeat(15)}y${'x'.repeat(14)}`),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.bigInt({ min: -3n, max: 3n }),
)

describe('KeyTable', () => {
  it('numbers keys as a Map would, in the order of their coming', () => {
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 300 }), (stream) => {
        const table = new KeyTable()
        const known = new Map<Key, number>()
        for (const key of stream) {
          if (!known.has(key)) known.set(key, known.size)
          equal(table.find(key), known.get(key))
        }
        deepEqual(table.keys, [...known.keys()])
      }),
    )
  })

  it('finds all of many keys again, also after it has been cleared', () => {
    const table = new KeyTable()
    for (let round = 0; round < 2; round += 1) {
      for (let n = 0; n < 20_000; n += 1) equal(table.find(`key ${n}`), n)
      for (let n = 0; n < 20_000; n += 1) equal(table.find(`key ${n}`), n)
      table.clear()
    }
    equal(table.keys.length, 0)
  })

  it('takes keys that were chosen to collide', () => {
    const alike = Array.from({ length: 2000 }, (_, n) => `${colliding(n)}${'x'.repeat(24)}`)
    equal(new Set(alike.map((key) => hashText(key, 0))).size, 1)
    equal(new Set(alike).size, alike.length)
    const table = new KeyTable()
    for (const [n, key] of alike.entries()) equal(table.find(key), n)
    for (const [n, key] of alike.entries()) equal(table.find(key), n)
  })

  it('takes -0 for 0, and refuses what is no key', () => {
    const table = new KeyTable()
    equal(table.find(0), table.find(-0))
    throws(() => table.find(Number.NaN), /A key is a string, number, bigint or boolean/)
    throws(() => table.find({} as never), TypeError)
  })
})

/** Texts of one hash: each step of it can be undone, so that the second word makes up for the first. */
function colliding(n: number): string {
  const turned = (word: number, by: number): number => (word << by) | (word >>> (32 - by))
  const scattered = Math.imul(turned(Math.imul(n, 0xcc9e2d51), 15), 0x1b873593)
  const after = (Math.imul(turned(scattered, 13), 5) + 0xe6546b64) | 0
  const word = Math.imul(turned(Math.imul(after, inverse(0x1b873593)), 17), inverse(0xcc9e2d51))
  return String.fromCharCode(n & 0xffff, n >>> 16, word & 0xffff, word >>> 16)
}

/** What an odd number is multiplied by to give 1, in 32 bits. */
function inverse(odd: number): number {
  let found = odd
  for (let step = 0; step < 5; step += 1) found = Math.imul(found, 2 - Math.imul(odd, found))
  return found
}

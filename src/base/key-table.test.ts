import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Key } from './hash.ts'
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
    // Long texts that differ only between the places that are looked at have one hash.
    const alike = Array.from({ length: 2000 }, (_, n) => {
      const text = 'x'.repeat(2400)
      return `${text.slice(0, 150)}${String(n).padStart(4, '0')}${text.slice(154)}`
    })
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

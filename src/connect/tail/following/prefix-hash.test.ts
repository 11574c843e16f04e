import { equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { beginAlike, prefixHashOf, stepsWithin } from './prefix-hash.ts'

describe('a sketch of first bytes', () => {
  it('has a sample for every 16 bytes at first, and none behind 4 KiB', () => {
    equal(prefixHashOf(Buffer.alloc(15)), '')
    equal(prefixHashOf(Buffer.alloc(48)).length, 12)
    equal(prefixHashOf(Buffer.alloc(4096)).length, 160)
    equal(prefixHashOf(Buffer.alloc(5000)), prefixHashOf(Buffer.alloc(4096)))
    equal(stepsWithin(4096), 40)
  })

  it('continues the sketch of what it begins with', () => {
    const bytes = fc.uint8Array({ maxLength: 6000 })
    fc.assert(
      fc.property(bytes, fc.nat(6000), (all, length) => {
        const [whole, part] = [prefixHashOf(Buffer.from(all)), prefixHashOf(Buffer.from(all.subarray(0, length)))]
        ok(whole.startsWith(part) && beginAlike(whole, part) && beginAlike(part, whole))
      }),
    )
  })

  it('tells contents apart that differ before its last sample', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 200 })
    fc.assert(
      fc.property(bytes, fc.nat(), (all, at) => {
        const other = Buffer.from(all)
        const changed = at % (all.length - (all.length % 16))
        other[changed] = (other[changed] ?? 0) ^ 1
        ok(!beginAlike(prefixHashOf(Buffer.from(all)), prefixHashOf(other)))
      }),
    )
  })
})

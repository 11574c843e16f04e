import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromPlain, toPlain } from './plain.ts'

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  key: fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'of')),
})

describe('plain data', () => {
  it('comes back as it was through JSON, and through structured clone', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const plain = toPlain('test', value)
        deepEqual(fromPlain(JSON.parse(JSON.stringify(plain))), value)
        deepEqual(fromPlain(structuredClone(plain)), value)
      }),
    )
  })

  it('is not mistaken for what it looks like', () => {
    for (const value of [{ $: 'undefined' }, { $: 'number', of: 'NaN' }, { $: undefined }]) {
      deepEqual(fromPlain(toPlain('test', value)), value)
    }
  })

  it('refuses saved data of a kind that it does not know', () => {
    throws(() => fromPlain({ $: 'RegExp', of: 'a' }), {
      message: 'Cannot load a saved state: it holds something of kind "RegExp", which is unknown',
    })
  })
})

import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fold } from './fold.ts'
import { record } from './record.ts'

describe('fold', () => {
  it('without merge cannot be merged, nor can a record of it', () => {
    const counting = fold({ create: () => 0, add: (state: number, _: unknown) => state + 1 })
    equal('merge' in counting, false)
    equal('merge' in record({ counting }), false)
  })

  it('saves any plain data, deep down', () => {
    const state = {
      seen: new Map([['a', new Set([-0, undefined])]]),
      at: new Date(5),
      big: 7n,
      bytes: Uint8Array.of(1, 2),
    }
    const any = fold({ create: () => state, add: (held) => held })
    deepEqual(any.load(JSON.parse(JSON.stringify(any.save(state)))), state)
    deepEqual(any.load(structuredClone(any.save(state))), state)
  })

  it('refuses to save what is no plain data', () => {
    const any = fold({ create: (): unknown => 0, add: (held) => held })
    const message = (found: string): object => ({
      message: `Cannot save the state of fold: it must be plain data, found ${found}`,
    })
    throws(() => any.save({ on: () => 0 }), message('function on'))
    throws(() => any.save([new URL('https://example.org')]), message('URL'))
    const itself: unknown[] = []
    itself.push(itself)
    throws(() => any.save(itself), message('data nested more than 500 deep, or in itself'))
  })

  it('refuses parts that are no functions, and parts that it does not have', () => {
    throws(() => fold({ create: 0 as never, add: () => 0 }), { message: 'fold: create must be a function: found 0' })
    throws(() => fold({ create: () => 0, add: () => 0, merge: 1 as never }), TypeError)
    throws(() => fold({ create: () => 0, add: () => 0, finish: () => 0 } as never), TypeError)
  })
})

import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { gathered, type NamedTexts, pairsOf } from './named-texts.ts'

describe('texts by name', () => {
  it('R50: are what pairs were, but for the order of different names', () => {
    const names = fc.constantFrom('a', 'b', '__proto__', 'constructor', '')
    const pairs = fc.array(fc.tuple(names, fc.string()))
    fc.assert(
      fc.property(pairs, (given) => {
        const byName = Map.groupBy(given, ([name]) => name)
        deepEqual(pairsOf('header', gathered(given)), [...byName.values()].flat())
      }),
    )
  })

  it('R50: are a text where there is one, a list where there are more', () => {
    deepEqual(
      gathered([
        ['a', '1'],
        ['b', '2'],
        ['a', '1'],
      ]),
      { a: ['1', '1'], b: '2' },
    )
  })

  it('R50: are refused where they hold something else', () => {
    throws(
      () => pairsOf('header', { a: 1 } as unknown as NamedTexts),
      /^TypeError: header "a" takes a text or texts: found 1$/,
    )
    throws(() => pairsOf('header', { a: ['x', null] } as unknown as NamedTexts), /header "a" .* found null/)
    throws(
      () => pairsOf('field', 'text' as unknown as NamedTexts),
      /^TypeError: fields are texts by name: found "text"$/,
    )
  })
})

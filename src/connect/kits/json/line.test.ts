import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { jsonText } from './line.ts'

describe('jsonText', () => {
  it('writes what JSON has as JSON does, but for negative zero, which stays one', () => {
    equal(jsonText({ a: [-0] }), '{"a":[-0]}')
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (any) => {
        const value: unknown = JSON.parse(JSON.stringify(any))
        equal(jsonText(value), JSON.stringify(value))
      }),
    )
  })

  it('writes bigints as the numbers that they are, anywhere', () => {
    equal(
      jsonText({ a: 9007199254740993n, b: [-1n, { c: 2n ** 64n }] }),
      '{"a":9007199254740993,"b":[-1,{"c":18446744073709551616}]}',
    )
  })

  it('writes dates as ISO 8601, leaves undefined keys out, and asks toJSON', () => {
    equal(
      jsonText({ at: new Date(0), gone: undefined, own: { toJSON: () => 5n } }),
      '{"at":"1970-01-01T00:00:00.000Z","own":5}',
    )
  })

  it('stays on one line', () => {
    equal(jsonText('a\nb\r\u2028').includes('\n'), false)
  })

  const circle: { self?: unknown } = {}
  circle.self = circle
  const deep = JSON.parse(`${'['.repeat(101)}${']'.repeat(101)}`)
  const refused: Readonly<Record<string, unknown>> = {
    NaN: Number.NaN,
    'an infinity inside': { a: [Number.NEGATIVE_INFINITY] },
    undefined: undefined,
    'undefined in an array': [undefined],
    'a function': { a: () => 1 },
    'a symbol': Symbol('x'),
    'a map': new Map([[1, 2]]),
    'a set inside': { a: new Set() },
    'a buffer': new Uint8Array(3),
    'a promise': Promise.resolve(),
    'an invalid date': new Date(Number.NaN),
    'a circle': circle,
    'what is nested 101 deep': deep,
  }
  for (const [what, value] of Object.entries(refused)) {
    it(`refuses ${what}`, () => throws(() => jsonText(value), /^TypeError: JSON (has no form for|can be nested)/))
  }

  it('takes what is nested 100 deep', () => {
    const text = `${'['.repeat(100)}${']'.repeat(100)}`
    equal(jsonText(JSON.parse(text)), text)
  })

  it('S7: takes hostile keys as keys', () => {
    const text = '{"__proto__":{"polluted":1},"constructor":2,"toJSON":3}'
    deepEqual(JSON.parse(jsonText(JSON.parse(text))), JSON.parse(text))
    equal(({} as { polluted?: number }).polluted, undefined)
  })
})

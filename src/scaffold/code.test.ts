import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { literal, plainName } from './code.ts'

describe('literal', () => {
  const evaluate = (code: string): unknown => JSON.parse(JSON.stringify(new Function(`return ${code}`)()))

  it('is the value again, on one line, whatever texts hold', () => {
    const texts = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed())
    fc.assert(
      fc.property(fc.dictionary(texts, fc.oneof(texts, fc.array(texts), fc.boolean(), fc.integer())), (value) => {
        const code = literal({ ...value })
        equal(JSON.stringify(evaluate(code)), JSON.stringify(value))
        equal(/[\n\r\u2028\u2029\u202e]/.test(code), false)
      }),
    )
  })

  it('makes a property of __proto__', () => {
    equal(literal(JSON.parse('{"__proto__":"text"}')), "{ ['__proto__']: 'text' }")
  })
})

describe('plainName', () => {
  it('makes a name of a path, a glob or anything', () => {
    const names = ['/data/Orders 2024.csv.gz', 'logs/*.log', '2024.csv', 'Größe.csv', '*.csv', '', 'shop.'].map(
      plainName,
    )
    equal(names.join(' '), 'orders-2024 logs data-2024 gr-e data data shop')
  })
})

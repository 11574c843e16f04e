import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Rejection } from '../format.ts'
import { form, formTexts } from './form.ts'

const NOWHERE = { source: 'webhook /', line: 0, offset: 0, raw: '' }
const parse = (text: string) => form().open(() => [])(text, NOWHERE)

describe('form', () => {
  it('reads what URLSearchParams writes', () => {
    const pairs = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()))
    fc.assert(
      fc.property(pairs, (given) => {
        const params = new URLSearchParams()
        for (const [name, text] of given) params.append(name.toWellFormed(), text.toWellFormed())
        const found = formTexts(String(params))
        for (const name of params.keys()) deepEqual([found[name] ?? []].flat(), params.getAll(name))
      }),
    )
  })

  it('gives names without a value, and nothing for nothing', () => {
    deepEqual(parse('a&b=&=c&&'), { a: '', b: '', '': 'c' })
    deepEqual(parse(''), {})
  })

  it('R51: refuses what is not UTF-8, and never puts other characters in its place', () => {
    for (const text of ['a=%ff', 'a=%', '%zz=1', 'a=%E2%82']) {
      const found = parse(text)
      ok(found instanceof Rejection, text)
      ok(found.reason.startsWith('a field is not UTF-8 in % and two digits: found "'), found.reason)
    }
  })

  it('S5: refuses more fields than a record has', () => {
    ok(!(parse('a&'.repeat(9_999)) instanceof Rejection))
    const found = parse('a&'.repeat(10_001))
    equal(found instanceof Rejection && found.reason, 'more than 10,000 fields')
  })
})

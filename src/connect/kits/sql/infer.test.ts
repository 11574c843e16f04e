import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inferColumns } from './infer.ts'

const infer = (...rows: unknown[]) => [...inferColumns(rows)]

describe('inferColumns', () => {
  it('tells the type from the values', () => {
    const row = { a: 'x', b: 1, c: 1.5, d: true, e: 2n ** 60n, f: new Date(0), g: { h: 1 }, i: [1], j: null }
    deepEqual(infer(row), [
      ['a', 'text'],
      ['b', 'integer'],
      ['c', 'real'],
      ['d', 'boolean'],
      ['e', 'integer'],
      ['f', 'time'],
      ['g', 'json'],
      ['i', 'json'],
      ['j', undefined],
    ])
  })

  it('takes numbers for real where some are not whole, or not exact', () => {
    deepEqual(infer({ a: 1 }, { a: 1.5 }, { a: 2 }), [['a', 'real']])
    deepEqual(infer({ a: 2 ** 53 }), [['a', 'real']])
  })

  it('lets null and undefined say nothing', () => {
    deepEqual(infer({ a: null }, { a: 'x' }, { a: undefined }), [['a', 'text']])
  })

  it('Q1: tells bytes, and whole numbers that floating point does not hold', () => {
    deepEqual(infer({ a: Uint8Array.of(1), b: 2n ** 60n, c: 2n ** 64n }), [
      ['a', 'bytes'],
      ['b', 'integer'],
      ['c', 'decimal'],
    ])
    deepEqual(infer({ a: 2n ** 60n }, { a: 1.5 }), [['a', 'mixed']])
  })

  it('says where there are several types, whatever comes after', () => {
    deepEqual(infer({ a: 1 }, { a: 'x' }, { a: 2 }), [['a', 'mixed']])
  })

  it('gathers the columns of all rows in the order in which they come', () => {
    deepEqual(infer({ b: 1 }, { a: 1, b: 2 }), [
      ['b', 'integer'],
      ['a', 'integer'],
    ])
  })

  it('takes keys that objects inherit, too, when they are own', () => {
    deepEqual(infer(JSON.parse('{"__proto__": "x", "constructor": 1}')), [
      ['__proto__', 'text'],
      ['constructor', 'integer'],
    ])
  })

  it('sees no columns in what is no object', () => {
    deepEqual(infer(5, 'x', null, undefined, ['a'], {}), [])
  })
})

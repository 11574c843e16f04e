import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rowsMaker, rowsMakerGenerated, rowsMakerPlain } from './rows-maker.ts'

describe('rowsMaker', () => {
  it('makes the same rows by generated code and by plain code', () => {
    const names = ['a', '__proto__', 'constructor', 'a"b\\\u2028']
    const columns = [Float64Array.of(1, 2, 3), ['x', null, 'z'], [[1], [2], [3]], [undefined, true, 5n]]
    for (const make of [rowsMakerGenerated(names)!, rowsMakerPlain(names)]) {
      const all = make(columns, 0, 3)
      deepEqual(all.map(Object.entries), [
        [
          ['a', 1],
          ['__proto__', 'x'],
          ['constructor', [1]],
          ['a"b\\\u2028', undefined],
        ],
        [
          ['a', 2],
          ['__proto__', null],
          ['constructor', [2]],
          ['a"b\\\u2028', true],
        ],
        [
          ['a', 3],
          ['__proto__', 'z'],
          ['constructor', [3]],
          ['a"b\\\u2028', 5n],
        ],
      ])
      deepEqual(make(columns, 1, 2).map(Object.values), all.slice(1, 2).map(Object.values))
      deepEqual(
        make(columns, 0, 2, Int32Array.of(2, 0)).map(Object.values),
        [all[2], all[0]].map((row) => Object.values(row!)),
      )
    }
  })

  it('makes rows of more columns than code is generated for', () => {
    const names = Array.from({ length: 700 }, (_, i) => `c${i}`)
    const [row] = rowsMaker(names)(
      names.map((_, i) => [i]),
      0,
      1,
    )
    deepEqual(row, Object.fromEntries(names.map((name, i) => [name, i])))
  })
})

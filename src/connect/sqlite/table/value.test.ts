import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { faultOfValue, REFUSED, toSqlite, type ValueKind } from './value.ts'

const circle: Record<string, unknown> = {}
circle.self = circle

/** For every kind: what it takes with what is stored, and what it refuses. */
const CASES: Record<
  ValueKind,
  { readonly takes: readonly (readonly [unknown, unknown])[]; readonly refuses: readonly unknown[] }
> = {
  'with-nul': {
    takes: [
      ['a\0b', 'a\0b'],
      ['', ''],
    ],
    refuses: [1, true, '\ud800', new Date(0), {}],
  },
  text: {
    takes: [
      ['', ''],
      ['ü😀', 'ü😀'],
      ['1', '1'],
    ],
    refuses: [1, true, 'a\0b', '\ud83d', new Date(0), {}, 1n],
  },
  integer: {
    takes: [
      [0, 0],
      [-5, -5],
      [9007199254740991, 9007199254740991],
      [2n ** 63n - 1n, 2n ** 63n - 1n],
      [-(2n ** 63n), -(2n ** 63n)],
    ],
    refuses: [
      1.5,
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '1',
      'x',
      true,
      2n ** 63n,
      -(2n ** 63n) - 1n,
      new Date(0),
    ],
  },
  number: {
    takes: [
      [1, 1],
      [1.5, 1.5],
      [7n, 7n],
      ['1.50', 1.5],
      ['9007199254740993', 9007199254740993n],
    ],
    refuses: [Number.NaN, '007', '0.10000000000000000000001', true, 2n ** 63n],
  },
  whole: {
    takes: [
      [1, 1],
      [true, 1n],
      [new Date(5), 5n],
      ['12', 12],
    ],
    refuses: [1.5, 'a', '007', '1.5', Uint8Array.of(1), {}],
  },
  loose: {
    takes: [
      [1.5, 1.5],
      ['2026-03-02 10:00:00', '2026-03-02 10:00:00'],
      ['n/a', 'n/a'],
      ['-12.50', -12.5],
      [{ a: 1 }, '{"a":1}'],
    ],
    refuses: ['007', ' 12', '1e5', '.5', '0.10000000000000000000001', Uint8Array.of(1), Number.NaN],
  },
  float: {
    takes: [
      [1, 1],
      [2n ** 60n, 2 ** 60],
      ['0.1', 0.1],
      [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ],
    refuses: [2n ** 60n + 1n, Number.NaN, 'a', true],
  },
  words: {
    takes: [
      ['12', '12'],
      [[1], '[1]'],
    ],
    refuses: [12, true, new Date(0), Uint8Array.of(1), new Map()],
  },
  'any-text': {
    takes: [
      ['12', '12'],
      [1.5, '1.5'],
      [1e21, '1000000000000000000000'],
      [true, 'true'],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [{ a: 1n }, '{"a":1}'],
    ],
    refuses: ['a\0b', Uint8Array.of(1), new Map(), () => 1],
  },
  real: {
    takes: [
      [1, 1],
      [-0.25, -0.25],
      [1e308, 1e308],
    ],
    refuses: [Number.NaN, '1.5', 'x', true, 2n ** 60n + 1n],
  },
  decimal: {
    takes: [
      ['-12.50', '-12.50'],
      ['0.10000000000000000000001', '0.10000000000000000000001'],
      [2n ** 70n, '1180591620717411303424'],
      [9.99, '9.99'],
    ],
    refuses: ['', '1e3', '1,5', 'NaN', Number.NaN, Number.POSITIVE_INFINITY, true, new Date(0)],
  },
  bytes: {
    takes: [
      [Uint8Array.of(0, 255), Uint8Array.of(0, 255)],
      [Uint8Array.of(), Uint8Array.of()],
    ],
    refuses: ['ab', [1, 2], new Uint16Array(1), new ArrayBuffer(1), {}, 1],
  },
  boolean: {
    takes: [
      [true, 1],
      [false, 0],
    ],
    refuses: [0, 1, 'true', {}],
  },
  time: {
    takes: [
      [0, 0],
      [-1000, -1000],
      [new Date(5), 5],
      ['1970-01-01T01:00:00.005+01:00', 5],
    ],
    refuses: [1.5, Number.NaN, new Date(Number.NaN), '2024-02-30', '2024-01-01T00:00:00.0001Z', 'infinity', 5n],
  },
  json: {
    takes: [
      [[1, 'a'], '[1,"a"]'],
      [{ a: { b: null } }, '{"a":{"b":null}}'],
      ['x', '"x"'],
      ['\0\ud800', '"\\u0000\\ud800"'],
    ],
    refuses: [circle, () => 1, Symbol('x'), Number.NaN, new Map(), Uint8Array.of(1), { a: [Uint8Array.of(1)] }],
  },
  any: {
    takes: [
      ['x', 'x'],
      [5, 5n],
      [1.5, 1.5],
      [true, 1n],
      [7n, 7n],
      [new Date(5), 5n],
      [[1], '[1]'],
      [-0, -0],
      [Uint8Array.of(1), Uint8Array.of(1)],
    ],
    refuses: ['a\0b', Number.NaN, 2n ** 63n, new Date(Number.NaN), circle, () => 1, [Uint8Array.of(1)], new Set()],
  },
}

describe('toSqlite', () => {
  for (const [kind, { takes, refuses }] of Object.entries(CASES)) {
    it(`stores what a ${kind} column can give back the same`, () => {
      for (const [value, stored] of takes) deepEqual(toSqlite(kind as ValueKind, value), stored)
    })

    it(`refuses for a ${kind} column all else`, () => {
      for (const value of refuses) equal(toSqlite(kind as ValueKind, value), REFUSED, String(typeof value))
    })

    it(`stores null and undefined as null in a ${kind} column`, () => {
      deepEqual([toSqlite(kind as ValueKind, null), toSqlite(kind as ValueKind, undefined)], [null, null])
    })
  }
})

describe('faultOfValue', () => {
  it('names the column, what it takes and what was found', () => {
    equal(faultOfValue('status', 'integer', '20O'), 'column status takes exact integers of 64 bits: found "20O"')
    equal(faultOfValue('a', 'text', 'x\0y'), 'column a cannot hold the NUL in "x\\u0000y"')
    equal(faultOfValue('a', 'any', '\ud800'), 'column a cannot hold half of a surrogate pair in "\\ud800"')
    equal(
      faultOfValue('a', 'time', new Date(Number.NaN)),
      'column a takes epoch milliseconds, dates and ISO 8601 down to the millisecond: found Date',
    )
    equal(faultOfValue('a', 'json', new Map()), 'column a cannot hold Map as JSON: JSON has no form for Map')
    equal(faultOfValue('a', 'json', circle).split('\n').length, 1)
  })
})

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
    refuses: [1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', true, 2n ** 63n, -(2n ** 63n) - 1n, new Date(0)],
  },
  number: {
    takes: [
      [1, 1],
      [1.5, 1.5],
      [7n, 7n],
    ],
    refuses: [Number.NaN, Number.NEGATIVE_INFINITY, '1', true, 2n ** 63n],
  },
  real: {
    takes: [
      [1, 1],
      [-0.25, -0.25],
      [1e308, 1e308],
    ],
    refuses: [Number.NaN, Number.POSITIVE_INFINITY, '1.5', true, 1n],
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
    ],
    refuses: [1.5, Number.NaN, new Date(Number.NaN), '2024-01-01', 5n],
  },
  json: {
    takes: [
      [[1, 'a'], '[1,"a"]'],
      [{ a: { b: null } }, '{"a":{"b":null}}'],
      ['x', '"x"'],
      ['\0\ud800', '"\\u0000\\ud800"'],
    ],
    refuses: [1n, circle, () => 1, Symbol('x')],
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
    ],
    refuses: ['a\0b', Number.NaN, 2n ** 63n, new Date(Number.NaN), circle, () => 1],
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
    equal(
      faultOfValue('status', 'integer', '20O'),
      'column status takes whole numbers that are exact and fit into 64 bits: found "20O"',
    )
    equal(faultOfValue('a', 'text', 'x\0y'), 'column a cannot hold the NUL in "x\\u0000y"')
    equal(faultOfValue('a', 'any', '\ud800'), 'column a cannot hold the half of a surrogate pair in "\\ud800"')
    equal(faultOfValue('a', 'time', new Date(Number.NaN)), 'column a takes epoch milliseconds and dates: found Date')
    equal(faultOfValue('a', 'json', 1n), 'column a cannot hold 1 as JSON: Do not know how to serialize a BigInt')
    equal(faultOfValue('a', 'json', circle).split('\n').length, 1)
  })
})

import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Rejection } from '../../format.ts'
import type { JsonOptions } from '../../kits/json/parser.ts'
import { json } from './format.ts'

function parse(text: string, options: JsonOptions = {}): unknown {
  const value = json(options).open(() => [])(text, { source: '', line: 0, offset: 0, raw: '' })
  return value instanceof Rejection ? value.reason : { value }
}

describe('json, times', () => {
  const parse = (text: string, options: JsonOptions) => {
    const value = json(options).open(() => [])(text, { source: '', line: 1, offset: 0, raw: '' })
    return value instanceof Rejection ? value.reason : value
  }

  it('X1: makes epoch milliseconds of keys that are times, and refuses what is not one', () => {
    const time = { at: 's', day: 'dd/MM/yyyy', t: 'iso' }
    deepEqual(parse('{"at":1709208000.25,"day":"29/02/2024","t":null,"x":1}', { time }), {
      at: 1709208000250,
      day: Date.UTC(2024, 1, 29),
      t: null,
      x: 1,
    })
    equal(
      parse('{"day":"30/02/2024"}', { time }),
      '"day" must be a time as dd/MM/yyyy: found "30/02/2024", no such day',
    )
    match(parse('{"t":true}', { time }) as string, /"t" must be a time as .*: found true, not a text or a number/)
    match(parse('{"at":""}', { time }) as string, /^"at" must be a time as seconds since 1970: found ""/)
    deepEqual(parse('[1]', { time }), [1])
  })

  it('X2: refuses what is finer than a millisecond, unless it is to be cut off', () => {
    match(parse('{"at":1709208000000001}', { time: { at: 'us' } }) as string, /subMilliseconds: 'truncate'/)
    deepEqual(parse('{"at":1709208000000001}', { time: { at: 'us' }, subMilliseconds: 'truncate' }), {
      at: 1709208000000,
    })
  })
})

describe('json', () => {
  it('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.json(), (text) => deepEqual(parse(text, { bigints: 'number' }), { value: JSON.parse(text) })),
    )
  })

  it('S7: keeps __proto__ as a key like any other', () => {
    const { value } = parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}') as {
      value: object
    }
    deepEqual(Object.keys(value), ['__proto__', 'constructor'])
    equal(Object.getPrototypeOf(value), Object.prototype)
    equal(({} as { polluted?: number }).polluted, undefined)
    // The way by which numbers are looked after is another one.
    const { value: looked } = parse('{"__proto__": {"polluted": 1e300}}') as { value: object }
    deepEqual(Object.keys(looked), ['__proto__'])
  })

  it('S5: refuses what is nested too deep before anything takes it in', () => {
    equal(parse('['.repeat(1_000_000)), 'nested more than 100 deep')
    equal(parse(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`), 'nested more than 100 deep')
    ok(typeof parse(`${'['.repeat(100)}${']'.repeat(100)}`) === 'object')
    ok(typeof parse(JSON.stringify('['.repeat(1000))) === 'object', 'brackets in a string')
    ok(typeof parse(`[${'[],'.repeat(1000)}"\\"]"]`) === 'object', 'many, but not inside each other')
  })

  it('S5: refuses an object of too many keys', () => {
    const object = (keys: number) => `{${Array.from({ length: keys }, (_, key) => `"${key}":0`).join(',')}}`
    equal(parse(object(10_001)), 'an object of over 10,000 keys')
    ok(typeof parse(object(10_000)) === 'object')
    equal(parse(`[{"a":[1,2,3],"b":1}, {"c":{"d":1,"e":2,"f":3}}]`, { maxKeys: 2 }), 'an object of over 2 keys')
    ok(typeof parse(`[${'0,'.repeat(20_000)}0]`) === 'object', 'an array is no object')
  })

  it('S19: refuses whole numbers that it would round, wherever they stand', () => {
    for (const text of [
      '9007199254740993',
      '[-9007199254740993]',
      '{"a": 9007199254740993}',
      '{"a":[1,\t12345678901234567890]}',
    ]) {
      ok(/^the number -?[0-9]+ is over 2\^53$/.test(String(parse(text))), text)
    }
    deepEqual(parse('[9007199254740991,-9007199254740991]'), { value: [9007199254740991, -9007199254740991] })
    equal(parse(`[1${'0'.repeat(400)}]`, { bigints: 'reject' }), `the number 1${'0'.repeat(39)}… is over 2^53`)
  })

  it('S19: gives bigints, or numbers that are near, when it is asked to', () => {
    deepEqual(parse('{"a":[9007199254740993, 1]}', { bigints: 'bigint' }), { value: { a: [9007199254740993n, 1] } })
    deepEqual(parse('[9007199254740993]', { bigints: 'number' }), { value: [9007199254740992] })
    ok(typeof parse(`[${'9'.repeat(2000)}]`, { bigints: 'bigint' }) === 'string')
  })

  it('S19: refuses what no number can be, and keeps the rest as it stands', () => {
    for (const bigints of ['reject', 'bigint', 'number'] as const) {
      equal(parse('[1e400]', { bigints }), 'the number 1e400 is too large')
      equal(parse('[-1E+0400]', { bigints }), 'the number -1E+0400 is too large')
    }
    equal(parse(`[1${'0'.repeat(400)}]`, { bigints: 'number' }), `the number 1${'0'.repeat(39)}… is too large`)
    deepEqual(parse('[-0, 0.30000000000000004, 1e300, 1e22, 5e-324]'), {
      value: [-0, 0.30000000000000004, 1e300, 1e22, 5e-324],
    })
  })

  it('takes no digits in a text for a number', () => {
    deepEqual(parse('{"id":"9007199254740993","x 1e400":": 9007199254740993"}'), {
      value: { id: '9007199254740993', 'x 1e400': ': 9007199254740993' },
    })
  })

  it('says why a text is not valid JSON, on one line', () => {
    equal(parse('[1,\u001b2]'), String.raw`not valid JSON: Unexpected token '\x1b', "[1,\x1b2]" is not valid JSON`)
    equal(parse(''), 'not valid JSON: Unexpected end of JSON input')
  })

  it('refuses options that there are not', () => {
    throws(() => json({ depth: 1 } as JsonOptions), /^TypeError: json has no option depth/)
    throws(() => json({ bigints: 'string' as 'number' }), /^RangeError: bigints must be one of reject, bigint, number/)
    throws(() => json({ maxDepth: 5000 }), RangeError)
  })
})

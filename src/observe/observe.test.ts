import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { escapeText, excerpt } from './escape.ts'
import { lineLogger } from './log.ts'
import { Rate } from './rate.ts'
import { redact } from './redact.ts'
import { bytesText, countText, durationText } from './text.ts'
import { TopCounter } from './top.ts'

describe('escapeText', () => {
  it('escapes what moves a cursor, ends a line or turns text around', () => {
    equal(
      escapeText('\x1b[2J\r\n\x07\x00\x9b\u202e\u2028\ufeff'),
      '\\x1b[2J\\x0d\\x0a\\x07\\x00\\x9b\\u202e\\u2028\\ufeff',
    )
  })

  it('leaves letters of every script alone', () => {
    equal(escapeText('Łösi 日本 é "\\x16"'), 'Łösi 日本 é "\\x16"')
  })

  it('cuts what is long, and says so', () => {
    equal(excerpt('abcdef', 3), 'abc…')
    equal(excerpt('abc', 3), 'abc')
  })
})

describe('redact', () => {
  it('takes passwords out of URLs, encoded or not', () => {
    equal(redact('postgres://u:p%40ss@h/db'), 'postgres://***@h/db')
    equal(redact('postgres://u:p@ss@h/db and amqp://x@y'), 'postgres://***@h/db and amqp://***@y')
  })

  it('leaves a URL without credentials as it is', () => {
    equal(redact('see https://example.org/a@b?c=d:e@f'), 'see https://example.org/a@b?c=d:e@f')
  })
})

describe('Rate', () => {
  it('knows nothing before two counts', () => {
    const rate = new Rate()
    rate.update(10, 0)
    equal(rate.perSecond, 0)
    equal(rate.etaMs(5), undefined)
  })

  it('says how long the rest will take', () => {
    const rate = new Rate()
    rate.update(0, 0)
    rate.update(100, 1000)
    equal(rate.etaMs(50), 500)
  })

  it('goes over to a new speed, half of the way in three seconds', () => {
    const rate = new Rate()
    rate.update(0, 0)
    rate.update(1000, 1000)
    rate.update(1000, 4000)
    equal(rate.perSecond, 500)
  })

  it('is not disturbed by a clock that stands still', () => {
    const rate = new Rate()
    rate.update(0, 0)
    rate.update(100, 1000)
    rate.update(100, 1000)
    equal(rate.perSecond, 100)
  })
})

describe('texts of numbers', () => {
  it('are what people read', () => {
    deepEqual([0, 999, 1000, 1234567.4].map(countText), ['0', '999', '1,000', '1,234,567'])
    deepEqual([0, 999, 1000, 999_960, 1.5e9].map(bytesText), ['0 B', '999 B', '1.0 kB', '1.0 MB', '1.5 GB'])
    deepEqual([0, 59_940, 59_960, 3_599_400, 3_600_000].map(durationText), [
      '0.0 s',
      '59.9 s',
      '1 m 00 s',
      '59 m 59 s',
      '1 h 00 m',
    ])
  })
})

describe('TopCounter', () => {
  it('counts as a map does while there are no more values than its size', () => {
    const few = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'))
    fc.assert(
      fc.property(few, (values) => {
        const counter = new TopCounter({ size: 5 })
        const counts = new Map<string, number>()
        for (const value of values) {
          counter.add(value)
          counts.set(value, (counts.get(value) ?? 0) + 1)
        }
        const { values: top, exact } = counter.top(5)
        ok(exact)
        deepEqual(new Map(top), counts)
      }),
    )
  })

  it('finds every value that is more than one in its size, with a count not above the truth', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 2000 }), fc.nat(4), (noise, heavy) => {
        const values = noise.flatMap((n) => (n % 3 === 0 ? [`heavy ${heavy}`] : [`${n}`]))
        const counter = new TopCounter({ size: 20 })
        for (const value of values) counter.add(value)
        const { values: top } = counter.top(20)
        for (const value of new Set(values)) {
          const truth = values.filter((one) => one === value).length
          const found = top.find(([one]) => one === value)?.[1] ?? 0
          ok(found <= truth)
          if (truth > values.length / 20) ok(found > 0, `${value} is ${truth} of ${values.length} and was lost`)
        }
      }),
    )
  })
})

describe('lineLogger', () => {
  it('writes one line whatever the message holds', () => {
    const lines: string[] = []
    const log = lineLogger({ format: 'text', write: (line) => void lines.push(line), wallMs: () => 0 })
    log.info({}, 'a\nb')
    deepEqual(lines, ['a\\x0ab\n'])
  })

  it('writes JSON with what JSON has no form for', () => {
    const lines: string[] = []
    const log = lineLogger({ format: 'json', write: (line) => void lines.push(line), wallMs: () => 7 })
    log.error({ bytes: 2n ** 60n, cause: new Error('gone') }, 'cannot go on')
    deepEqual(JSON.parse(lines[0] ?? ''), {
      level: 'error',
      time: 7,
      bytes: '1152921504606846976',
      cause: 'gone',
      msg: 'cannot go on',
    })
  })
})

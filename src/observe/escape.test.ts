import { equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { escapeJson, escapeText, excerpt } from './escape.ts'

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

  it('leaves nothing unsafe, and nothing to do a second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const safe = escapeText(text)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
        ok(!/[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(safe))
        equal(escapeText(safe), safe)
      }),
    )
  })
})

describe('escapeJson', () => {
  it('leaves no character that JSON allows and a terminal obeys', () => {
    equal(escapeJson(JSON.stringify({ agent: '\x9b2J\u202e\u{e0041}' })), '{"agent":"\\u009b2J\\u202e\\udb40\\udc41"}')
  })

  it('parses to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const json = JSON.stringify(value)
        equal(JSON.stringify(JSON.parse(escapeJson(json))), json)
      }),
    )
  })
})

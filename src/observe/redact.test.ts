import { equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { redact } from './redact.ts'

describe('redact', () => {
  it('takes passwords out of URLs, encoded or not', () => {
    equal(redact('postgres://u:p%40ss@h/db'), 'postgres://***@h/db')
    equal(redact('postgres://u:p@ss@h/db and amqp://x@y'), 'postgres://***@h/db and amqp://***@y')
  })

  it('leaves a URL without credentials as it is', () => {
    equal(redact('see https://example.org/a@b?c=d:e@f'), 'see https://example.org/a@b?c=d:e@f')
  })

  it('leaves a port alone, whatever follows it', () => {
    equal(redact('http://host:8080/a@b and http://host:80'), 'http://host:8080/a@b and http://host:80')
  })

  it('takes a password out that should have been encoded', () => {
    equal(redact('postgres://u:p/w?x#y@h/db'), 'postgres://***@h/db')
    equal(redact('redis://:secret@h'), 'redis://***@h')
  })

  it('takes a number that is a password for one', () => {
    equal(redact('postgres://u:12345@h/db'), 'postgres://***@h/db')
  })

  it('takes a time in proportion to the text, whatever it is', () => {
    for (const part of ['a', 'a://', 'a://:', 'a://b:c', 'a:']) {
      const startedMs = performance.now()
      redact(`x://${part.repeat(50_000)}`)
      ok(performance.now() - startedMs < 2000, part)
    }
  })
})

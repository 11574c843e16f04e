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

  it('takes out what is called a secret, and leaves its name', () => {
    equal(redact('https://h/x?page=2&api_key=abc&q=1'), 'https://h/x?page=2&api_key=***&q=1')
    equal(redact("host=h password='a b' sslmode=on"), 'host=h password=*** sslmode=on')
    equal(
      redact('--param PGPASSWORD=x --param X-Amz-Signature=0a'),
      '--param PGPASSWORD=*** --param X-Amz-Signature=***',
    )
  })

  it('leaves what only looks like it', () => {
    for (const text of ['keys=3', 'tokens: 5', 'the password is wrong', 'a==b', 'secret']) equal(redact(text), text)
  })

  it('takes a time in proportion to the text, whatever it is', () => {
    for (const part of ['a', 'a://', 'a://:', 'a://b:c', 'a:', 'token', 'a.token="', "-token='", '.a=']) {
      const startedMs = performance.now()
      redact(`x://${part.repeat(50_000)}`)
      ok(performance.now() - startedMs < 2000, part)
    }
  })
})

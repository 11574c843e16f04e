import { equal } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { quote } from './help.ts'

describe('quote', () => {
  it('makes of any text one word that a shell takes for that text', (t) => {
    if (process.platform === 'win32') return t.skip('there is no POSIX shell here')
    const words = [
      'plain',
      'a b',
      "it's",
      '$(touch x)',
      '"',
      '`x`',
      '*.gz',
      'a\nb',
      '',
      '-rf',
      '\\',
      '!!',
      'é',
      ';',
      '~',
      'a=~',
    ]
    const command = `printf '%s\\0' ${words.map(quote).join(' ')}`
    equal(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }), `${words.join('\0')}\0`)
  })

  it('leaves what needs no quotes as it is', () => {
    equal(quote('input=/var/log/nginx/access.log'), 'input=/var/log/nginx/access.log')
  })
})

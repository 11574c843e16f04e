import { equal, match, notEqual, ok } from 'node:assert/strict'
import { join, resolve, sep } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../../../testing/times.ts'
import { encodeName } from './name.ts'

describe('encodeName', () => {
  const cases: Readonly<Record<string, string>> = {
    'S8-plain_2026.csv': 'S8-plain_2026.csv',
    'country=DE': 'country=DE',
    '../../etc/x': '%2E.%2F..%2Fetc%2Fx',
    'a/b': 'a%2Fb',
    'a\\b': 'a%5Cb',
    '.': '%2E',
    '..': '%2E%2E',
    '': '%empty',
    '%empty': '%25empty',
    CON: '%43ON',
    'con.txt': '%63on.txt',
    console: 'console',
    'a.': 'a%2E',
    '.hidden': '%2Ehidden',
    _manifest: '%5Fmanifest',
    'a\0b': 'a%00b',
    'line\nend': 'line%0Aend',
    'Köln 1': 'K%C3%B6ln%201',
    '\ud800': '%uD800',
    '\ufffd': '%EF%BF%BD',
  }
  for (const [value, name] of Object.entries(cases)) {
    it(`S8: makes ${name} of ${JSON.stringify(value)}`, () => equal(encodeName(value), name))
  }

  it('S8: cuts a long value, and tells it from others that begin the same', () => {
    const [one, two] = [`${'x'.repeat(300)}1`, `${'x'.repeat(300)}2`].map(encodeName)
    match(one as string, /^x{80}%~[0-9a-f]{64}$/)
    notEqual(one, two)
    ok((encodeName('ü'.repeat(300)) as string).length < 160)
  })

  it('S8: stays below the root, in one step, whatever the value is', () => {
    const root = resolve('/some/root')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        const name = encodeName(value)
        ok(name.length > 0 && name.length <= 240)
        match(name, /^[\x21-\x7e]+$/)
        ok(!name.includes('/') && !name.includes('\\') && !name.startsWith('.') && !name.startsWith('_'))
        equal(join(root, name), `${root}${sep}${name}`)
      }),
    )
  })

  it('S8: never gives two values one name', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('%', '~', '.', '2', 'E', 'u', '_', '\ud800', '\udc00', 'é'), maxLength: 6 }),
      fc.constantFrom('%empty', 'CON', '%43ON', 'con', '%uD800', '\ud800'),
    )
    fc.assert(
      fc.property(text, text, (a, b) => equal(encodeName(a) === encodeName(b), a === b)),
      { numRuns: times(3000) },
    )
  })
})

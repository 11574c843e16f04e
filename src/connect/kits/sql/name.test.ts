import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../../../base/errors.ts'
import { checkColumnName, checkTableName, foldName, quoteName } from './name.ts'

const isRefused = (error: unknown) => isSluiceError(error, 'CONFIG_INVALID')

describe('a name in SQL', () => {
  it('is quoted, with its own quotes doubled', () => {
    equal(quoteName('a b'), '"a b"')
    equal(quoteName('x"; drop table y; --'), '"x""; drop table y; --"')
    equal(quoteName('"'), '""""')
  })

  it('is refused when it is no text, empty, too long, or has what no name can hold', () => {
    for (const name of ['', 'a\0b', '\ud800', 'x'.repeat(256), 5, null, undefined, ['a']]) {
      throws(() => checkColumnName(name), isRefused)
      throws(() => checkTableName(name), isRefused)
    }
  })

  it('is taken when it is odd and harmless', () => {
    for (const name of ['select', 'a b', 'Ü', ' ', '__proto__', '東京', 'x'.repeat(255)]) {
      checkColumnName(name)
      checkTableName(name)
    }
  })

  it('of a table must not be one of the internal tables', () => {
    throws(() => checkTableName('sqlite_schema'), isRefused)
    throws(() => checkTableName('Sluice_Positions'), isRefused)
    checkTableName('sluices')
    checkColumnName('sqlite_x')
  })

  it('is compared without the case of ASCII letters, and with that of all others', () => {
    equal(foldName('StatusÜ'), 'statusÜ')
  })
})

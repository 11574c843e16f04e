import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../../base/errors.ts'
import { addressOf } from './connection.ts'

describe('addressOf', () => {
  it('shows host, port and database, never user and password', () => {
    equal(addressOf('postgres://u:p%40ss@h/db'), 'h:5432/db')
    equal(addressOf('postgresql://u:p@[::1]:5433/a%20b?sslmode=verify-full'), '[::1]:5433/a b')
    equal(addressOf('postgres:///db?host=/var/run/postgresql'), '/var/run/postgresql:5432/db')
    equal(addressOf({ host: 'h', port: 1, database: 'd', user: 'u', password: 'p' }), 'h:1/d')
  })

  it('takes the user for the database where none is named', () => {
    equal(addressOf('postgres://ann:secret@h'), 'h:5432/ann')
    equal(addressOf({ host: 'h', user: 'ann' }), 'h:5432/ann')
  })

  it('shows nothing of what it does not take', () => {
    for (const text of [
      '',
      'secret',
      'postgres:u:secret@h',
      'http://u:secret@h',
      'postgres://u:1/secret@h',
      'postgres://h:secret/',
    ]) {
      throws(
        () => addressOf(text),
        (error) =>
          isSluiceError(error, 'CONFIG_INVALID') &&
          !`${error.message}${JSON.stringify(error.details)}`.includes('secret'),
      )
    }
    throws(() => addressOf(5 as never), TypeError)
    throws(() => addressOf({ hots: 'h' } as never), /A PostgreSQL connection has no option hots/)
  })
})

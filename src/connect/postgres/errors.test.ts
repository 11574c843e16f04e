import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConnectionLost, type ErrorKind, errorKind, reasonOf } from './errors.ts'

const said = (code: string, more: object = {}) => Object.assign(new Error('no'), { severity: 'ERROR', code, ...more })

describe('errorKind', () => {
  const codes: Readonly<Record<ErrorKind, readonly string[]>> = {
    lost: [
      '08006',
      '40001',
      '40P01',
      '53100',
      '53300',
      '55P03',
      '57014',
      '57P01',
      '57P02',
      '57P03',
      '25006',
      '58030',
      'XX000',
    ],
    settings: ['28P01', '28000', '3D000'],
    untrusted: [],
    row: ['22001', '22021', '22P02', '23502', '23505', '23514', '54000', 'P0001', '21000', 'SL001', '45000'],
    missing: ['42P01'],
    unfit: ['42501', '42703', '42804', '22P03', '0A000', '25P02'],
  }
  for (const [kind, of] of Object.entries(codes)) {
    if (of.length === 0) continue
    it(`takes ${of.join(', ')} for ${kind}`, () => {
      for (const code of of) equal(errorKind(said(code)), kind, code)
    })
  }

  it('takes a connection that is gone for lost, unless it never could be trusted or had no password', () => {
    equal(errorKind(new ConnectionLost('Connection terminated unexpectedly')), 'lost')
    const cause = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    equal(errorKind(new ConnectionLost(cause.message, { cause })), 'untrusted')
    equal(errorKind(new ConnectionLost('The server does not support SSL connections')), 'untrusted')
    equal(
      errorKind(new ConnectionLost('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')),
      'settings',
    )
  })

  it('takes no error of ours for trouble of a server', () => {
    equal(errorKind(new TypeError('x is not a function')), undefined)
    equal(errorKind(Object.assign(new Error('no'), { code: 'ABORT' })), undefined)
  })
})

describe('reasonOf', () => {
  it('says words, code and what it was about', () => {
    equal(reasonOf(said('23505', { constraint: 't_pkey' })), 'no (23505, constraint t_pkey)')
    equal(reasonOf(said('23502', { column: 'a' })), 'no (23502, column a)')
    equal(reasonOf(said('57P01')), 'no (57P01)')
    equal(reasonOf(new Error('no')), 'no')
  })
})

import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readIso } from './iso.ts'
import { timeRules } from './rules.ts'

const readIsoTime = (text: string) => readIso(text, timeRules({}))

describe('readIso', () => {
  it('gives back what toISOString writes', () => {
    const date = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(fc.property(date, (one) => equal(readIsoTime(one.toISOString()), one.getTime())))
  })

  it('takes the forms that databases write', () => {
    const time = Date.UTC(2024, 1, 29, 12, 30)
    for (const text of [
      '2024-02-29 12:30',
      '2024-02-29T12:30:00',
      '2024-02-29 12:30:00.000000',
      '2024-02-29 12:30:00 Z',
      '2024-02-29T13:30:00+01',
      '2024-02-29T06:45:00-0545',
      '2024-02-29t12:30:00z',
    ]) {
      equal(readIsoTime(text), time, text)
    }
    equal(readIsoTime('2024-02-29'), Date.UTC(2024, 1, 29))
  })

  it('S19: refuses days, hours and offsets that there are not, and what is finer than a millisecond', () => {
    for (const text of [
      '2023-02-29',
      '2024-13-01',
      '2024-00-10',
      '0000-01-01',
      '2024-01-01T24:00:00',
      '2024-01-01T10:60:00',
      '2024-01-01T10:00:60',
      '2024-01-01T10:00:00+24:00',
      '2024-01-01T10:00:00.0001',
      '10000-01-01',
      '2024-01-01T10',
      '1704103200',
      '',
    ]) {
      equal(typeof readIsoTime(text), 'string', text)
    }
  })
})

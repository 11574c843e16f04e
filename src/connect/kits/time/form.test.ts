import { equal, match, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { json } from '../../formats/json/format.ts'
import { timeReader } from './form.ts'
import { type TimeOptions, TOO_FINE, timeRules } from './rules.ts'

const read = (form: string, text: string, options: TimeOptions = {}) => timeReader(form, timeRules(options))(text)
const NOON = Date.UTC(2024, 1, 29, 12)

describe('timeReader', () => {
  for (const [form, text, time] of [
    ['iso', '2024-02-29 12:00:00 UTC', NOON],
    ['iso', '2024-02-29T12:00:00.000000+00', NOON],
    ['iso', '2024-02-29T07:00:00-0500', NOON],
    ['iso', '2024-02-29T17:45:00+05:45', NOON],
    ['dd/MM/yyyy HH:mm:ss', '29/02/2024 12:00:00', NOON],
    ['M/d/yyyy h:mm a', '2/29/2024 12:00 PM', NOON],
    ['M/d/yyyy h:mm a', '2/29/2024 12:00 am', NOON - 43_200_000],
    ['dd.MM.yy HH:mm', '29.02.24 12:00', NOON],
    ['EEE, d MMM yyyy HH:mm:ss xx', 'Thu, 29 Feb 2024 13:00:00 +0100', NOON],
    ['EEEE d MMMM uuuu HH:mm', 'thursday 29 FEBRUARY 2024 12:00', NOON],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", '2024-02-29T12:00:00.250000Z', NOON + 250],
    ['yyyyMMddHHmmss', '20240229120000', NOON],
    ['yyyy-MM-dd HH:mm:ss[.SSS]', '2024-02-29 12:00:00', NOON],
    ['yyyy-MM-dd HH:mm:ss[.SSS]', '2024-02-29 12:00:00.007', NOON + 7],
    ["dd MMM yyyy, HH 'o''clock'", "29 Feb 2024, 12 o'clock", NOON],
    ['s', '1709208000', NOON],
    ['s', '1709208000.250', NOON + 250],
    ['ms', '1709208000000', NOON],
    ['us', '1709208000000000', NOON],
    ['ns', '1709208000001000000', NOON + 1],
    ['us', '-1000', -1],
    ['ns', '0', 0],
    ['s', '-62135596800', -62_135_596_800_000],
  ] as const) {
    it(`X3, X4, X5: reads ${text} as ${form}`, () => equal(read(form, text), time))
  }

  for (const [form, text, fault] of [
    ['dd/MM/yyyy', '30/02/2024', 'no such day'],
    ['dd/MM/yyyy', '31/04/2024', 'no such day'],
    ['dd/MM/yyyy', '12/13/2024', 'no such month'],
    ['dd/MM/yyyy HH:mm', '12/12/2024 24:00', 'an hour over 23'],
    ['dd/MM/yyyy HH:mm:ss', '31/12/2016 23:59:60', 'a second over 59'],
    ['dd/MM/yyyy', '2024-02-29', 'not a time as dd/MM/yyyy'],
    ['dd/MM/yyyy', '29/02/2024 ', 'not a time as dd/MM/yyyy'],
    ['dd/MM/yyyy h a', '29/02/2024 13 PM', 'an hour over 23'],
    ['EEE dd/MM/yyyy', 'Fri 29/02/2024', 'another day of the week'],
    ['iso', '2024-02-30', 'no such day'],
    ['iso', '2024-02-29T24:00:00Z', 'an hour over 23'],
    ['iso', '2016-12-31T23:59:60Z', 'a second over 59'],
    ['iso', '0000-01-01', 'no year 0000'],
    ['iso', '2024-02-29T12:00:00+24:00', 'an offset over 23 hours 59 minutes'],
    ['iso', '20240229', 'not a time such as 2024-02-29T23:59:59.999Z'],
    ['s', '1709208000000', 'not a count of seconds since 1970 in the years 1 to 9999'],
    ['ms', '1e12', 'not a count of milliseconds since 1970'],
    ['s', '', 'not a count of seconds since 1970'],
  ] as const) {
    it(`X1: does not read ${JSON.stringify(text)} as ${form}`, () => equal(read(form, text), fault))
  }

  for (const [form, text, cut] of [
    ['iso', '2024-02-29T12:00:00.0005Z', NOON],
    ['yyyy-MM-dd HH:mm:ss.SSSSSS', '2024-02-29 12:00:00.250001', NOON + 250],
    ['s', '1709208000.0001', NOON],
    ['ms', '1709208000000.5', NOON],
    ['us', '1709208000000001', NOON],
    ['ns', '1709208000000999999', NOON],
    ['us', '-1', -1],
  ] as const) {
    it(`X2: refuses ${text} as ${form}, unless it is to be cut off`, () => {
      equal(read(form, text), TOO_FINE)
      equal(read(form, text, { subMilliseconds: 'truncate' }), cut)
      match(TOO_FINE, /digits .* subMilliseconds: 'truncate'/)
    })
  }

  it('X6: takes a time without an offset for one of the zone', () => {
    const options = { timeZone: 'Europe/Berlin' }
    equal(read('iso', '2024-07-01 12:00', options), Date.UTC(2024, 6, 1, 10))
    equal(read('iso', '2024-07-01 12:00Z', options), Date.UTC(2024, 6, 1, 12))
    equal(read('dd/MM/yyyy HH:mm', '01/01/2024 12:00', options), Date.UTC(2024, 0, 1, 11))
    equal(read('dd/MM/yyyy HH:mm', '27/10/2024 02:30', options), Date.UTC(2024, 9, 27, 0, 30))
    equal(read('dd/MM/yyyy HH:mm', '31/03/2024 02:30', options), Date.UTC(2024, 2, 31, 1, 30))
  })

  it('X4: refuses a pattern that cannot be, when it is made', () => {
    for (const [form, why] of [
      ['dd/MM/YYYY', /has the letters YYYY: it takes yyyy uuuu yy M/],
      ['dd/mm/yyyy', /says no month/],
      ['DDD/yyyy', /has the letters DDD/],
      ['dd/MM/yyyy dd', /says the day twice/],
      ['dd/MM/yyyy hh:mm', /must have both h and a, or neither/],
      ['dd/MM/yyyy mm', /says the minute and no hour/],
      ["dd/MM/yyyy 'at", /has a quote ' that is not closed/],
      ['dd/MM/yyyy [HH', /opens a \[ that is not closed/],
      ['HH:mm:ss', /says no year/],
      ['seconds', /has the letters/],
    ] as const) {
      throws(() => read(form, ''), why, form)
    }
    throws(() => read('iso', '', { timeZone: 'Mars/Olympus' }), /timeZone must be one such as Europe\/Berlin/)
    throws(() => json({ subMilliseconds: 'round' as never }), RangeError)
  })

  it('reads every time of its own writing', () => {
    const ms = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })
    fc.assert(
      fc.property(ms, (time) => {
        const text = new Date(time).toISOString()
        equal(read('iso', text), time)
        equal(read("uuuu-MM-dd'T'HH:mm:ss.SSSX", text), time)
        equal(read('ms', `${time}`), time)
        equal(read('ns', `${BigInt(time) * 1_000_000n}`), time)
      }),
    )
  })
})

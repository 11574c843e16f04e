import { equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times as repeats } from '../../../testing/times.ts'
import { AccessTimes, faultOfTime, TIME_LENGTH } from './time.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const read = (text: string) => new AccessTimes().read(text, 0)

describe('AccessTimes', () => {
  it('gives epoch milliseconds in UTC', () => {
    equal(read('17/May/2015:10:05:03 +0000'), Date.UTC(2015, 4, 17, 10, 5, 3))
    equal(read('17/May/2015:10:05:03 +0545'), Date.UTC(2015, 4, 17, 4, 20, 3))
    equal(read('17/May/2015:10:05:03 -0330'), Date.UTC(2015, 4, 17, 13, 35, 3))
    equal(read('17/May/2015:10:05:03 -0000'), Date.UTC(2015, 4, 17, 10, 5, 3))
  })

  it('is exact before 1970, at the end of year 9999, and in year 1', () => {
    equal(read('31/Dec/1969:23:59:59 +0000'), -1000)
    equal(read('31/Dec/9999:23:59:59 +0000'), 253402300799000)
    equal(read('01/Jan/0001:00:00:00 +0000'), -62135596800000)
  })

  it('knows leap years', () => {
    equal(read('29/Feb/2024:00:00:00 +0000'), Date.UTC(2024, 1, 29))
    equal(read('29/Feb/2000:00:00:00 +0000'), Date.UTC(2000, 1, 29))
    equal(read('29/Feb/2023:00:00:00 +0000'), Number.NaN)
    equal(read('29/Feb/1900:00:00:00 +0000'), Number.NaN)
  })

  it('reads a time by itself, whatever was read before it', () => {
    const times = new AccessTimes()
    equal(times.read('17/May/2015:10:05:03 +0000', 0), Date.UTC(2015, 4, 17, 10, 5, 3))
    equal(times.read('17/May/2015:10:05:59 +0000', 0), Date.UTC(2015, 4, 17, 10, 5, 59))
    equal(times.read('17/May/2015:10:05:03 +0100', 0), Date.UTC(2015, 4, 17, 9, 5, 3))
    equal(times.read('18/May/2015:10:05:03 +0100', 0), Date.UTC(2015, 4, 18, 9, 5, 3))
    equal(times.read('18/May/2015:10:06:03 +0100', 0), Date.UTC(2015, 4, 18, 9, 6, 3))
    equal(times.read('31/Feb/2015:10:06:03 +0100', 0), Number.NaN)
    equal(times.read('18/May/2015:10:06:04 +0100', 0), Date.UTC(2015, 4, 18, 9, 6, 4))
  })

  it('agrees with Date on every time that exists', () => {
    const times = new AccessTimes()
    const seconds = fc.integer({ min: -62135596800, max: 253402300799 })
    fc.assert(
      fc.property(seconds, (second) => {
        const [, day, month, year, clock] =
          /(\d\d) (\w{3}) (\d{4}) (\S{8})/.exec(new Date(second * 1000).toUTCString()) ?? []
        equal(times.read(`${day}/${month}/${year}:${clock} +0000`, 0), second * 1000)
      }),
      { numRuns: repeats(1000) },
    )
  })

  it('takes each day of a year and no other', () => {
    for (const [index, month] of MONTHS.entries()) {
      for (let day = 0; day <= 32; day += 1) {
        const exists = day > 0 && new Date(Date.UTC(2023, index, day)).getUTCMonth() === index && day <= 31
        const text = `${String(day).padStart(2, '0')}/${month}/2023:00:00:00 +0000`
        equal(read(text), exists ? Date.UTC(2023, index, day) : Number.NaN, text)
      }
    }
  })
})

describe('faultOfTime', () => {
  const whatOf = (text: string) => {
    equal(read(text), Number.NaN, text)
    const { what, at } = faultOfTime(text, 0)
    return `${what} @${at}`
  }

  it('names what is wrong, and where', () => {
    equal(whatOf('17/may/2015:10:05:03 +0000'), 'time has no such month @3')
    equal(whatOf('17/anF/2015:10:05:03 +0000'), 'time has no such month @3')
    equal(whatOf('31/Feb/2015:10:05:03 +0000'), 'time has no such day @0')
    equal(whatOf('00/Feb/2015:10:05:03 +0000'), 'time has no such day @0')
    equal(whatOf('17/May/0000:10:05:03 +0000'), 'time has no year 0000 @7')
    equal(whatOf('17/May/2015:24:00:00 +0000'), 'time has an hour over 23 @12')
    equal(whatOf('17/May/2015:10:60:03 +0000'), 'time has a minute over 59 @15')
    equal(whatOf('30/Jun/2015:23:59:60 +0000'), 'time has a second over 59 @18')
    equal(whatOf('17/May/2015:10:05:03 +9999'), 'time has an offset over 23 hours 59 minutes @21')
    equal(whatOf('17/May/2015:10:05:03 +0060'), 'time has an offset over 23 hours 59 minutes @21')
    equal(whatOf('17/May/2015:10:05:03 +2400'), 'time has an offset over 23 hours 59 minutes @21')
  })

  it('names the shape where a time has not that', () => {
    for (const text of [
      '',
      'x',
      '17-May-2015:10:05:03 +0000',
      '17/May/2015 10:05:03 +0000',
      '17/May/2015:10:05:03 0000',
    ]) {
      equal(whatOf(text), 'time is not dd/Mon/yyyy:hh:mm:ss ±hhmm @0')
    }
  })

  it('has a fault to name for every change of one character that makes a time unreadable', () => {
    const time = '17/May/2015:10:05:03 +0000'
    fc.assert(
      fc.property(fc.nat(TIME_LENGTH - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const text = time.slice(0, at) + character + time.slice(at + 1)
        if (Number.isNaN(read(text))) ok(faultOfTime(text, 0).what.startsWith('time '))
        else ok(/^[\d/:A-Za-z +-]{26}$/.test(text))
      }),
    )
  })
})

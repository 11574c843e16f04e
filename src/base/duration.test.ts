import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { durationMs } from './duration.ts'

describe('durationMs', () => {
  it('reads numbers as milliseconds, and texts from the largest unit to the smallest', () => {
    equal(durationMs(1000), 1000)
    equal(durationMs('1d2h3m4s5ms'), 93_784_005)
    equal(durationMs('1m'), 60_000)
    equal(durationMs('1.1s'), 1100)
    equal(durationMs('0s'), 0)
  })

  it('refuses what is no duration, naming the option and what was found', () => {
    for (const bad of ['', '1', 'm', '1s1m', '1 s', '-1s', '1w', null, Number.NaN, {}] as never[]) {
      throws(() => durationMs(bad, 'gap'), { name: 'TypeError', message: /^gap must be milliseconds or a text/ })
    }
  })

  it('refuses what is not whole milliseconds, or too short', () => {
    throws(() => durationMs(1.5), { name: 'RangeError', message: /whole milliseconds, 0 or more: found 1\.5/ })
    throws(() => durationMs('0.1ms'), RangeError)
    throws(() => durationMs(Number.POSITIVE_INFINITY), RangeError)
    throws(() => durationMs(-1, 'offset'), { message: 'offset must be whole milliseconds, 0 or more: found -1' })
    throws(() => durationMs(0, 'size', 1), { message: 'size must be whole milliseconds, 1 or more: found 0' })
  })

  it('reads back any sum of units', () => {
    const parts = fc.tuple(fc.nat(99), fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999))
    fc.assert(
      fc.property(parts, ([d, h, m, s, ms]) => {
        equal(durationMs(`${d}d${h}h${m}m${s}s${ms}ms`), ((d * 24 + h) * 60 + m) * 60_000 + s * 1000 + ms)
      }),
    )
  })
})

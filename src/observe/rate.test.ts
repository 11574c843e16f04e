import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Rate } from './rate.ts'

describe('Rate', () => {
  it('knows nothing before two counts', () => {
    const rate = new Rate()
    rate.update(10, 0)
    equal(rate.perSecond, 0)
    equal(rate.etaMs(5), undefined)
  })

  it('says how long the rest will take', () => {
    const rate = new Rate()
    rate.update(0, 0)
    rate.update(100, 1000)
    equal(rate.etaMs(50), 500)
  })

  it('goes over to a new speed, half of the way in three seconds', () => {
    const rate = new Rate()
    rate.update(0, 0)
    rate.update(1000, 1000)
    rate.update(1000, 4000)
    equal(rate.perSecond, 500)
  })

  it('is not disturbed by a clock that stands still', () => {
    const rate = new Rate()
    rate.update(0, 0)
    rate.update(100, 1000)
    rate.update(100, 1000)
    equal(rate.perSecond, 100)
  })
})

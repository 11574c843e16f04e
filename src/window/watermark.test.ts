import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WatermarkMaker, WatermarkMerger } from './watermark.ts'

describe('WatermarkMaker', () => {
  it('T2: stays behind the latest event by the stated disorder, and never goes back', () => {
    const maker = new WatermarkMaker({ outOfOrdernessMs: 10 })
    deepEqual([maker.current, maker.observe(100), maker.observe(50), maker.observe(105)], [-Infinity, 90, 90, 95])
  })

  it('T2: is not moved back by any events', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (times) => {
        const maker = new WatermarkMaker({ outOfOrdernessMs: 3, futureLimitMs: 1000 })
        const marks = times.map((time) => maker.observe(time))
        ok(marks.every((mark, index) => index === 0 || mark >= (marks[index - 1] ?? 0)))
      }),
    )
  })

  it('T3: an event too far ahead of the clock does not move it, the next one does', () => {
    const maker = new WatermarkMaker({ futureLimitMs: 1000 })
    equal(maker.observe(9000, 5000), -Infinity)
    equal(maker.observe(6000, 5000), 6000)
    equal(maker.ignored, 1)
  })

  it('T3: events from long ago move it, however far they lie apart, when there is a clock', () => {
    const maker = new WatermarkMaker({ futureLimitMs: 1000 })
    deepEqual([maker.observe(0, 1e12), maker.observe(1e9, 1e12)], [0, 1e9])
  })

  it('T3: without a clock the limit counts from the latest event, not from the watermark', () => {
    const maker = new WatermarkMaker({ outOfOrdernessMs: 5000, futureLimitMs: 1000 })
    deepEqual(
      [maker.observe(0), maker.observe(900), maker.observe(1800), maker.observe(9000)],
      [-5000, -4100, -3200, -3200],
    )
  })

  it('T60: goes on from its snapshot', () => {
    const [maker, next] = [new WatermarkMaker(), new WatermarkMaker()]
    equal(maker.snapshot(), null)
    maker.observe(7)
    next.restore(maker.snapshot())
    equal(next.current, 7)
  })
})

describe('WatermarkMerger', () => {
  const merger = (...inputs: string[]): WatermarkMerger<string> => {
    const made = new WatermarkMerger<string>({ idleAfterMs: 100 })
    for (const input of inputs) made.join(input, 0)
    return made
  }

  it('T4: the least of the inputs counts, once each has given one', () => {
    const two = merger('a', 'b')
    deepEqual([two.advance('a', 5), two.advance('b', 3), two.advance('b', 9)], [undefined, 3, 5])
  })

  it('T4: a new input holds the watermark where it is, and does not take it back', () => {
    const one = merger('a')
    one.advance('a', 5)
    one.join('b')
    deepEqual(
      [one.advance('a', 9), one.current, one.advance('b', 2), one.advance('b', 8)],
      [undefined, 5, undefined, 8],
    )
  })

  it('T5: an input that is idle holds nobody back; its waking takes nothing back', () => {
    const two = merger('a', 'b')
    two.advance('a', 10)
    two.advance('b', 4)
    deepEqual([two.idle('b'), two.advance('b', 6), two.current], [10, undefined, 10])
    deepEqual([two.advance('a', 20), two.advance('b', 15)], [undefined, 15])
  })

  it('T5: when all are idle the furthest counts', () => {
    const two = merger('a', 'b')
    two.advance('a', 10)
    two.advance('b', 4)
    deepEqual([two.idle('a'), two.idle('b')], [undefined, 10])
  })

  it('T5: silence makes an input idle, a sign of it keeps it awake', () => {
    const two = merger('a', 'b')
    two.advance('a', 10, 50)
    two.advance('b', 4, 50)
    two.seen('a', 120)
    deepEqual([two.tick(149), two.tick(150)], [undefined, 10])
  })

  it('T6: an input that has ended is waited for no more, from that moment on', () => {
    const two = merger('a', 'b')
    two.advance('a', 10)
    deepEqual([two.leave('b'), two.leave('b'), two.current], [10, undefined, 10])
  })

  it('T4: refuses an invalid time', () => {
    throws(() => merger('a').advance('a', Number.NaN), TypeError)
  })
})

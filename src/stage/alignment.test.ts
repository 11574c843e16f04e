import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Alignment } from './alignment.ts'

function of(...inputs: readonly string[]): Alignment<string> {
  const alignment = new Alignment<string>()
  for (const input of inputs) alignment.join(input)
  return alignment
}

describe('Alignment', () => {
  it('D56: the watermark is the least of all, and is told only when it moves on', () => {
    const alignment = of('a', 'b')
    equal(alignment.watermark('a', 10), undefined)
    equal(alignment.watermark('b', 7), 7)
    equal(alignment.watermark('b', 8), 8)
    equal(alignment.watermark('b', 12), 10)
    equal(alignment.watermark('b', 13), undefined)
  })

  it('D56: a watermark never goes back', () => {
    const alignment = of('a')
    equal(alignment.watermark('a', 10), 10)
    equal(alignment.watermark('a', 5), undefined)
    equal(alignment.watermark('a', 11), 11)
    alignment.join('late')
    equal(alignment.watermark('late', 3), undefined)
    equal(alignment.watermark('a', 20), undefined)
  })

  it('D57: a barrier is told once it has come from all, and holds up those where it has', () => {
    const alignment = of('a', 'b', 'c')
    equal(alignment.barrier('a', 1), undefined)
    equal(alignment.barrier('c', 1), undefined)
    deepEqual(
      ['a', 'b', 'c'].map((input) => alignment.isWaiting(input)),
      [true, false, true],
    )
    equal(alignment.barrier('b', 1), 1)
    deepEqual(
      ['a', 'b', 'c'].map((input) => alignment.isWaiting(input)),
      [false, false, false],
    )
  })

  it('D58: an input that has ended is not waited for any more', () => {
    const alignment = of('a', 'b')
    alignment.watermark('a', 10)
    alignment.barrier('a', 1)
    deepEqual(alignment.leave('b'), { time: 10, epoch: 1 })
    deepEqual(alignment.leave('a'), { time: undefined, epoch: undefined })
  })

  it('D58: an epoch that waited only where an input has left is forgotten', () => {
    const alignment = of('a', 'b')
    alignment.barrier('a', 5)
    alignment.leave('a')
    equal(alignment.barrier('b', 6), 6)
  })

  it('D59: inputs at different epochs are refused', () => {
    const alignment = of('a', 'b')
    alignment.barrier('a', 2)
    throws(() => alignment.barrier('b', 1), /Cannot align epoch 1: another producer is at the end of epoch 2/)
  })

  it('D56: tells the least of the greatest, whatever the order', () => {
    const steps = fc.array(fc.record({ input: fc.nat(2), time: fc.integer({ min: -100, max: 100 }) }))
    fc.assert(
      fc.property(steps, (script) => {
        const alignment = of('0', '1', '2')
        const times = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
        let last = Number.NEGATIVE_INFINITY
        for (const { input, time } of script) {
          times[input] = Math.max(times[input] ?? 0, time)
          const told = alignment.watermark(`${input}`, time)
          const least = Math.min(...times)
          equal(told, least > last ? least : undefined)
          last = Math.max(last, least)
        }
      }),
    )
  })
})

import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Ring } from './ring.ts'

describe('Ring', () => {
  it('gives nothing when it is empty', () => {
    const ring = new Ring<number>()
    equal(ring.shift(), undefined)
    equal(ring.peek(), undefined)
    deepEqual(ring.take(3), [])
  })

  it('keeps a pushed undefined as a value of its own', () => {
    const ring = new Ring<undefined>()
    ring.push(undefined)
    equal(ring.length, 1)
  })

  it('does as an array does with push, shift and unshift', () => {
    const ahead = fc.record({ ahead: fc.nat() })
    const steps = fc.array(fc.oneof(fc.nat(), ahead, fc.constant('shift' as const), fc.constant('take' as const)))
    fc.assert(
      fc.property(steps, (script) => {
        const ring = new Ring<number>(2)
        const model: number[] = []
        for (const step of script) {
          if (step === 'shift') equal(ring.shift(), model.shift())
          else if (step === 'take') deepEqual(ring.take(3), model.splice(0, 3))
          else if (typeof step === 'object') {
            ring.unshift(step.ahead)
            model.unshift(step.ahead)
          } else {
            ring.push(step)
            model.push(step)
          }
          equal(ring.length, model.length)
          equal(ring.peek(), model[0])
        }
      }),
    )
  })
})

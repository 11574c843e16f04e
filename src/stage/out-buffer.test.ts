import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Mark } from './message.ts'
import { OutBuffer } from './out-buffer.ts'

const mark = (time: number): Mark => ({ kind: 'watermark', time })

describe('OutBuffer', () => {
  it('D15: keep-last discards the oldest, and says how many', () => {
    const buffer = new OutBuffer<number>(3, 'keep-last')
    equal(buffer.push([1, 2]), 0)
    equal(buffer.push([3, 4]), 1)
    equal(buffer.push([5, 6, 7, 8]), 4)
    deepEqual(buffer.take(10), [6, 7, 8])
  })

  it('D15: keep-first discards the newcomers, and says how many', () => {
    const buffer = new OutBuffer<number>(3, 'keep-first')
    equal(buffer.push([1, 2]), 0)
    equal(buffer.push([3, 4, 5]), 2)
    equal(buffer.push([6]), 1)
    deepEqual(buffer.take(10), [1, 2, 3])
  })

  it('D15: fail takes nothing that does not fit', () => {
    const buffer = new OutBuffer<number>(3, 'fail')
    equal(buffer.push([1, 2]), 0)
    equal(buffer.push([3, 4]), -1)
    deepEqual(buffer.take(10), [1, 2])
  })

  it('D15: a size of 0 keeps nothing', () => {
    for (const whenFull of ['keep-last', 'keep-first'] as const) {
      const buffer = new OutBuffer<number>(0, whenFull)
      equal(buffer.push([1, 2]), 2)
      ok(buffer.isEmpty)
    }
    equal(new OutBuffer<number>(0, 'fail').push([1]), -1)
  })

  it('D16: a mark comes out behind the events that were there before it', () => {
    const buffer = new OutBuffer<number>(10, 'fail')
    buffer.push([1, 2])
    buffer.pushMark(mark(2))
    buffer.push([3])
    equal(buffer.takeMark(), undefined)
    deepEqual(buffer.take(10), [1, 2])
    deepEqual(buffer.takeMark(), mark(2))
    deepEqual(buffer.take(10), [3])
  })

  it('D16: a mark whose events are discarded comes out early, and is not lost', () => {
    const buffer = new OutBuffer<number>(2, 'keep-last')
    buffer.push([1, 2])
    buffer.pushMark(mark(2))
    buffer.push([3, 4, 5])
    deepEqual(buffer.takeMark(), mark(2))
    deepEqual(buffer.take(10), [4, 5])
  })

  it('D15 D16: holds no more than its size, keeps the order, loses no mark', () => {
    const steps = fc.array(
      fc.oneof(fc.record({ push: fc.nat(6) }), fc.record({ take: fc.nat(6) }), fc.constant({ mark: true })),
    )
    const policies = fc.constantFrom('keep-last' as const, 'keep-first' as const)
    fc.assert(
      fc.property(steps, fc.nat(5), policies, (script, size, whenFull) => {
        const buffer = new OutBuffer<number>(size, whenFull)
        let next = 0
        let lost = 0
        let marked = 0
        const taken: number[] = []
        const marks: number[] = []
        const drain = (count: number): void => {
          for (let left = count; left >= 0; ) {
            const due = buffer.takeMark()
            if (due !== undefined) {
              if (due.kind === 'watermark') marks.push(due.time)
              // Nothing given before the mark comes out after it.
              continue
            }
            const events = buffer.take(left)
            if (events.length === 0) return
            taken.push(...events)
            ok(events.every((event) => event >= (marks.at(-1) ?? 0)))
            left -= events.length
          }
        }
        for (const step of script) {
          if ('push' in step) lost += buffer.push(Array.from({ length: step.push }, () => next++))
          else if ('take' in step) drain(step.take)
          else {
            marked += 1
            buffer.pushMark(mark(next))
          }
          ok(buffer.length <= size)
        }
        drain(Number.POSITIVE_INFINITY)
        deepEqual(
          taken,
          [...taken].sort((a, b) => a - b),
        )
        equal(taken.length + lost, next)
        equal(marks.length, marked)
      }),
    )
  })
})

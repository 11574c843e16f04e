import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { StrictChunk } from '../testing/strict-chunk.ts'
import { arrayOf, type Chunk } from './chunk.ts'
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

  it('D51: what is held of many small emits comes out as one, and keeps nothing else alive', () => {
    const buffer = new OutBuffer<number>(2, 'keep-last')
    for (let n = 0; n < 100_000; n += 1) buffer.push([n])
    buffer.pushMark(mark(1))
    buffer.push([-1])
    deepEqual(buffer.take(10), [99_999])
    deepEqual(buffer.takeMark(), mark(1))
    deepEqual(buffer.take(10), [-1])
    ok(buffer.isEmpty)
  })

  it('D51: keep-first keeps what came first, and takes nothing more', () => {
    const buffer = new OutBuffer<number>(2, 'keep-first')
    equal(buffer.push([1]), 0)
    equal(buffer.push([2, 3, 4]), 2)
    equal(buffer.push([5]), 1)
    deepEqual(buffer.take(10), [1, 2])
    ok(buffer.isEmpty)
  })

  it('D141: small arrays that follow each other come out as one array, and do not change', () => {
    const buffer = new OutBuffer<number>(100, 'fail')
    const first = [0, 1]
    buffer.push(first)
    for (let n = 2; n < 10; n += 1) buffer.push([n])
    deepEqual(buffer.take(1), [0])
    deepEqual(buffer.take(5), [1, 2, 3, 4, 5])
    deepEqual(buffer.take(50), [6, 7, 8, 9])
    deepEqual(first, [0, 1])
  })

  it('D141: other chunks come out one by one, cut, and never as arrays', () => {
    const buffer = new OutBuffer<number>(100, 'fail')
    const whole = new StrictChunk([0, 1, 2])
    for (const chunk of [whole, new StrictChunk([3, 4]), [5], [6], new StrictChunk([7])]) buffer.push(chunk)
    equal(buffer.take(3), whole)
    const taken = [1, 9, 1, 9, 9].map((count) => buffer.take(count))
    deepEqual(
      taken.map((chunk) => [chunk instanceof StrictChunk, ...StrictChunk.eventsOf(chunk)]),
      [
        [true, 3],
        [true, 4],
        [false, 5],
        [false, 6],
        [true, 7],
      ],
    )
    ok(buffer.isEmpty)
  })

  it('D141: keeps and discards the same events and marks, in whatever chunks they come', () => {
    const step = fc.oneof(
      fc.record({ push: fc.nat(6), isStrict: fc.boolean() }),
      fc.record({ take: fc.nat(6) }),
      fc.constant('mark' as const),
    )
    const policies = fc.constantFrom('keep-last' as const, 'keep-first' as const, 'fail' as const)
    fc.assert(
      fc.property(fc.array(step), fc.nat(8), policies, (steps, size, whenFull) => {
        const lines = [true, false].map((mayBeStrict) => {
          const buffer = new OutBuffer<number>(size, whenFull)
          const line: unknown[] = []
          let next = 0
          const takeAll = (count: number): void => {
            for (let left = count; ; ) {
              const due = buffer.takeMark()
              const taken = due === undefined ? StrictChunk.eventsOf(buffer.take(left)) : []
              if (due === undefined && taken.length === 0) return
              line.push(...(due === undefined ? taken : [due]))
              left -= taken.length
            }
          }
          for (const one of steps) {
            if (one === 'mark') buffer.pushMark(mark(next))
            else if ('take' in one) takeAll(one.take)
            else {
              const events = Array.from({ length: one.push }, () => next++)
              const chunk: Chunk<number> = mayBeStrict && one.isStrict ? new StrictChunk(events) : events
              line.push(`lost ${buffer.push(chunk)}, holds ${buffer.length}`)
            }
          }
          takeAll(Number.POSITIVE_INFINITY)
          ok(buffer.isEmpty)
          return line
        })
        deepEqual(lines[0], lines[1])
      }),
    )
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
            const events = arrayOf(buffer.take(left))
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

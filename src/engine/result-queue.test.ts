import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { batchOf, batchOfTracked } from '../connect/batch.ts'
import { tracked } from '../connect/origin.ts'
import type { Subscription } from '../stage/link.ts'
import { ResultQueue } from './result-queue.ts'

const FROM = {} as Subscription
const EVENT = batchOf([0])

/** Everything that can go out, as events and marks. */
function drain(answers: ResultQueue, out: unknown[]): void {
  for (let ready = answers.take(); ready !== undefined; ready = answers.take()) {
    for (const batch of ready.batches) out.push(...batch.values())
    if (ready.watermark !== undefined) out.push({ mark: ready.watermark })
  }
}

describe('ResultQueue', () => {
  it('keeps results in order, and every mark behind all events before it', () => {
    const steps = fc.array(fc.oneof(fc.constant('event'), fc.constant('mark')), { maxLength: 40 })
    fc.assert(
      fc.property(steps, fc.boolean(), fc.infiniteStream(fc.nat()), (plan, isOrdered, chances) => {
        const answers = new ResultQueue(isOrdered)
        const open: number[] = []
        const out: unknown[] = []
        const before: number[] = []
        let events = 0
        const answerOne = (): void => {
          const [ticket] = open.splice((chances.next().value as number) % open.length, 1)
          if (ticket !== undefined) answers.resolve(ticket, ticket, EVENT, FROM)
          drain(answers, out)
        }
        for (const step of plan) {
          if (step === 'mark') {
            before.push(events)
            answers.mark(events)
          } else {
            open.push(answers.reserve())
            events += 1
          }
          drain(answers, out)
          if (open.length > 0 && (chances.next().value as number) % 2 === 0) answerOne()
        }
        while (open.length > 0) answerOne()
        const values = out.filter((one) => typeof one === 'number')
        deepEqual(
          isOrdered ? values : values.toSorted((a, b) => a - b),
          Array.from({ length: events }, (_, n) => n),
        )
        // A mark is named by the number of events before it.
        for (const [at, one] of out.entries()) {
          if (typeof one === 'number') continue
          const ahead = out.slice(0, at).filter((event) => typeof event === 'number')
          deepEqual(ahead.toSorted(), Array.from({ length: (one as { mark: number }).mark }, (_, n) => n).toSorted())
        }
        const last = before.at(-1)
        if (last !== undefined)
          equal(
            out.some((one) => (one as { mark?: number }).mark === last),
            true,
          )
      }),
    )
  })

  it('gives one mark for several with no event between them', () => {
    const answers = new ResultQueue(true)
    const ticket = answers.reserve()
    answers.mark(1)
    answers.mark(2)
    answers.resolve(ticket, 'a', EVENT, FROM)
    const out: unknown[] = []
    drain(answers, out)
    deepEqual(out, ['a', { mark: 2 }])
  })

  it('gives each result the origin of its event; those of events without one are batches of their own', () => {
    const origin = { source: 'a.csv', line: 7, offset: 70, raw: 'x' }
    const events = [batchOfTracked([tracked('x', origin)]), EVENT, EVENT]
    const answers = new ResultQueue(true)
    for (const event of events) answers.resolve(answers.reserve(), 'found', event, FROM)
    const { batches } = answers.take() ?? { batches: [] }
    deepEqual(
      batches.map((batch) => [batch.values(), batch.origin(0)]),
      [
        [['found'], origin],
        [['found', 'found'], undefined],
      ],
    )
  })
})

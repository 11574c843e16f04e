import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Probe } from '../testing/probe.ts'
import { RandomScheduler } from '../testing/random-scheduler.ts'
import { askAt, demandPlan, demandWindow } from './demand.ts'
import type { Dispatcher, DispatcherSpec } from './dispatcher.ts'
import { producer } from './make.ts'

interface Row {
  readonly maxDemand: number
  readonly minDemand: number
  /** Events in each chunk that arrives. */
  readonly chunks: readonly number[]
  /** Each slice, and the ask after it; 0 for no ask. */
  readonly steps: readonly (readonly [slice: number, ask: number])[]
  readonly pending: number
}

/** What GenStage 1.3.2 was seen to do. */
const ROWS: readonly Row[] = [
  {
    maxDemand: 1000,
    minDemand: 500,
    chunks: [1000],
    steps: [
      [500, 500],
      [500, 500],
    ],
    pending: 1000,
  },
  {
    maxDemand: 1000,
    minDemand: 750,
    chunks: [100, 100, 100],
    steps: [
      [100, 0],
      [100, 0],
      [100, 300],
    ],
    pending: 1000,
  },
  {
    maxDemand: 100,
    minDemand: 80,
    chunks: [100],
    steps: [
      [20, 20],
      [20, 20],
      [20, 20],
      [20, 20],
      [20, 20],
    ],
    pending: 100,
  },
  {
    maxDemand: 100,
    minDemand: 20,
    chunks: [100],
    steps: [
      [80, 80],
      [20, 0],
    ],
    pending: 80,
  },
  {
    maxDemand: 10,
    minDemand: 5,
    chunks: [3, 3, 3, 1],
    steps: [
      [3, 0],
      [3, 6],
      [3, 0],
      [1, 0],
    ],
    pending: 6,
  },
  {
    maxDemand: 10,
    minDemand: 0,
    chunks: [4, 4, 2],
    steps: [
      [4, 0],
      [4, 0],
      [2, 10],
    ],
    pending: 10,
  },
  {
    maxDemand: 5,
    minDemand: 2,
    chunks: [5, 3],
    steps: [
      [3, 3],
      [2, 0],
      [3, 5],
    ],
    pending: 5,
  },
  {
    maxDemand: 7,
    minDemand: 3,
    chunks: [7, 4, 3],
    steps: [
      [4, 4],
      [3, 0],
      [4, 7],
      [3, 0],
    ],
    pending: 4,
  },
  {
    maxDemand: 4,
    minDemand: 2,
    chunks: [1, 1, 1, 1],
    steps: [
      [1, 0],
      [1, 2],
      [1, 0],
      [1, 2],
    ],
    pending: 4,
  },
  {
    maxDemand: 10,
    minDemand: 5,
    chunks: [12],
    steps: [
      [5, 5],
      [5, 5],
      [2, 0],
    ],
    pending: 10,
  },
]

describe('the demand rule', () => {
  for (const { maxDemand, minDemand, chunks, steps, pending } of ROWS) {
    const title = `${maxDemand}/${minDemand} with chunks of ${chunks.join(', ')}`

    it(`D5: ${title}: slices, asks and what is pending in the end`, () => {
      let left = maxDemand
      const seen: [number, number][] = []
      for (const chunk of chunks) {
        const plan = demandPlan(left, { maxDemand, minDemand }, chunk)
        for (const { events, ask } of plan.slices) seen.push([events, ask])
        left = plan.pending
      }
      deepEqual(seen, steps)
      equal(left, pending)
    })

    it(`D2 D3 D9: ${title}: the same between two stages`, () => {
      const scheduler = new RandomScheduler({ seed: 1, runs: 'hand' })
      const asks: number[] = []
      const source = producer<number>({ dispatcher: careless(asks), scheduler })
      const probe = new Probe<number>({ scheduler })
      const subscription = probe.subscribe(source, { maxDemand, minDemand })
      scheduler.runToIdle()
      for (const chunk of chunks) {
        source.emit(Array.from({ length: chunk }, () => 0))
        scheduler.runToIdle()
      }
      deepEqual(
        probe.batches.map((batch) => batch.length),
        steps.map(([slice]) => slice),
      )
      deepEqual(asks, [maxDemand, ...steps.map(([, ask]) => ask).filter((ask) => ask > 0)])
      equal(subscription.pending, pending)
      const events = chunks.reduce((sum, chunk) => sum + chunk, 0)
      equal(probe.stage.stats().surplus, events === 12 ? 2 : 0)
    })
  }

  it('D5: never lets pending go over maxDemand, nor rest at minDemand or below', () => {
    const windows = fc
      .integer({ min: 1, max: 50 })
      .chain((maxDemand) => fc.record({ maxDemand: fc.constant(maxDemand), minDemand: fc.nat(maxDemand - 1) }))
    fc.assert(
      fc.property(windows, fc.array(fc.integer({ min: 1, max: 80 })), (window, chunks) => {
        let pending = window.maxDemand
        for (const chunk of chunks) {
          const plan = demandPlan(pending, window, chunk)
          pending = plan.pending
          ok(pending > window.minDemand && pending <= window.maxDemand)
          equal(
            plan.slices.reduce((sum, slice) => sum + slice.events, 0),
            chunk,
          )
          ok(plan.slices.every(({ events }) => events <= window.maxDemand - window.minDemand))
        }
      }),
    )
  })

  it('D5: asks nothing above minDemand, and up to maxDemand at it', () => {
    equal(askAt(6, { maxDemand: 10, minDemand: 5 }), 0)
    equal(askAt(5, { maxDemand: 10, minDemand: 5 }), 5)
    equal(askAt(0, { maxDemand: 10, minDemand: 5 }), 10)
  })

  it('D5: refuses numbers that make no window, with the number', () => {
    throws(() => demandWindow({ maxDemand: 0 }), /maxDemand must be an integer, 1 or more: found 0/)
    throws(() => demandWindow({ maxDemand: 1.5 }), RangeError)
    throws(() => demandWindow({ maxDemand: Number.POSITIVE_INFINITY }), RangeError)
    throws(() => demandWindow({ maxDemand: 5, minDemand: 5 }), /minDemand must be an integer, from 0 to 4: found 5/)
    throws(() => demandWindow({ minDemand: -1 }), RangeError)
    throws(() => demandWindow({ maxDemand: '10' as never }), /maxDemand must be a number: found "10"/)
  })
})

/** A dispatcher that sends whatever it is given to its one consumer, asked for or not, and notes the asks. */
function careless(asks: number[]): DispatcherSpec<number> {
  const make = <C>(): Dispatcher<number, C> => {
    let only: C | undefined
    return {
      subscribe: (consumer) => {
        only = consumer
      },
      cancel: () => {},
      ask: (_consumer, events) => void asks.push(events),
      wanted: () => 1_000_000,
      dispatch: (events, deliver) => deliver.events(only as C, events),
      mark: () => {},
      held: () => 0,
    }
  }
  return { kind: 'careless', check: () => {}, make }
}

import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { batchOfTracked } from '../../connect/batch.ts'
import { type Origin, type Tracked, tracked } from '../../connect/origin.ts'
import { putParts } from '../../testing/put-parts.ts'
import { probeStep } from '../../testing/step-probe.ts'
import type { StepContext } from '../step.ts'
import { flatMap } from './flat-map.ts'

function* endless(): Generator<number> {
  try {
    for (let n = 0; ; n += 1) yield n
  } finally {
    closed += 1
  }
}
/** How many of the endless ones were closed. */
let closed = 0

function* upTo(count: number, fault?: string): Generator<number> {
  for (let n = 0; n < count; n += 1) yield n
  if (fault !== undefined) throw new Error(fault)
}

const flatMapOf = (fn: (value: never) => Iterable<unknown>) => flatMap({ kind: 'flatMap', name: 'parts', fn })
const originOf = (offset: number): Origin => ({ source: 'a.log', line: 0, offset, raw: `raw ${offset}` })
const recordsOf = (values: readonly unknown[], only?: readonly number[]) =>
  batchOfTracked(values.map((value, i) => tracked(value, { ...originOf(i), ...(only === undefined ? {} : { only }) })))
const GUARDED: Partial<StepContext> = { onError: 'dead-letter' }

/** All that a step has put off, resumed until nothing is left. */
function finish({ step }: { readonly step: { readonly isSuspended?: boolean; resume?(): void } }): void {
  while (step.isSuspended === true) step.resume?.()
}

describe('flatMap', () => {
  it('L21: gives the items of arrays, Sets and generators in their order', () => {
    const given: Record<string, Iterable<number>> = { a: [1, 2], none: [], s: new Set([3, 4]) }
    const { step, take } = probeStep(flatMapOf((name: string) => given[name] ?? [].values()))
    step.events(['a', 'none', 's', 'other'])
    deepEqual(take().flat(), [1, 2, 3, 4])
  })

  it('L21: draws from an endless iterator in bounded pieces, and what comes meanwhile waits behind it', () => {
    const { step, take } = probeStep(flatMapOf((n: number) => (n === 0 ? endless() : [n])))
    step.events([7, 0, 8])
    const first = take().flat()
    ok(first.length > 1 && first.length < 5000)
    deepEqual(first.slice(0, 3), [7, 0, 1])
    equal(step.isSuspended, true)
    step.events([9])
    step.resume?.()
    const more = take().flat()
    equal(more[0], first.length - 1)
    ok(!more.includes(9) || more.indexOf(9) === 9)
  })

  it('L21: closes what is open when nothing more is wanted', () => {
    closed = 0
    const { step } = probeStep(flatMapOf(() => endless()))
    step.events([1])
    step.drop?.()
    deepEqual([closed, step.isSuspended], [1, false])
  })

  it('L81: gives nothing of an event whose iterator throws among its first 1,024', () => {
    const probe = probeStep(
      flatMapOf((n: number) => upTo(n, n % 2 === 1 ? 'broke' : undefined)),
      GUARDED,
    )
    probe.step.events([2, 1023, 0, 3, 1])
    finish(probe)
    deepEqual(probe.take().flat(), [0, 1])
    deepEqual(probe.told, [
      ['dead', 1023, 'broke'],
      ['dead', 3, 'broke'],
      ['dead', 1, 'broke'],
    ])
    deepEqual(probe.context.counts, { filtered: 1, derived: 1 })
  })

  it('L81: draws the rest of an event that becomes more as it is wanted, and fails with what it throws then', () => {
    const failures: unknown[] = []
    const { step, take } = probeStep(
      flatMapOf(() => upTo(5000, 'too late')),
      { ...GUARDED, recordFailure: (operator, event) => failures.push(operator, event) },
    )
    step.events([7])
    equal(take().flat().length, 1024)
    throws(() => {
      while (step.isSuspended === true) step.resume?.()
    }, /too late/)
    deepEqual([take().flat().length, failures], [3072, ['parts', [7]]])
  })

  it('L81: has a part of its own for each event that a record becomes, however many', () => {
    const parts = (counts: readonly number[]): unknown[] => {
      const found: unknown[] = []
      const probe = probeStep(
        (next, context) =>
          flatMapOf((n: number) => upTo(n))(
            {
              ...next,
              events: (batch) => {
                for (let i = 0; i < batch.length; i += 1) {
                  const { offset, part } = batch.origin(i) as Origin
                  found.push(`${offset}/${part ?? 0}`)
                }
              },
            },
            context,
          ),
        GUARDED,
      )
      probe.step.events(recordsOf(counts))
      finish(probe)
      equal(probe.context.counts.derived - probe.context.counts.filtered, found.length - counts.length)
      return found
    }
    fc.assert(
      fc.property(fc.array(fc.constantFrom<number>(0, 1, 2, 3, 1023, 1024, 1025, 4000), { maxLength: 6 }), (counts) => {
        const found = parts(counts)
        equal(
          found.length,
          counts.reduce((sum, n) => sum + n, 0),
        )
        equal(new Set(found).size, found.length)
        deepEqual(found, parts(counts))
      }),
    )
  })

  it('L82: of records that are tried again, gives the parts that are wanted, and counts those', () => {
    const whole: Tracked<number>[] = []
    putParts([0, 1, 2], originOf(0), whole)
    const wanted = whole.slice(1).map(({ origin }) => origin.part as number)
    const { step, take, context } = probeStep(
      flatMapOf((n: number) => upTo(n)),
      { ...GUARDED, isReplay: true },
    )
    step.events(recordsOf([3], wanted))
    deepEqual(take().flat(), [1, 2])
    deepEqual(context.counts, { filtered: 0, derived: 1 })
  })

  it('L82: refuses a record that no longer becomes the parts that are wanted', () => {
    const { step, take, told } = probeStep(
      flatMapOf((n: number) => upTo(n)),
      { ...GUARDED, isReplay: true },
    )
    step.events(recordsOf([3], [4]))
    deepEqual(take(), [])
    deepEqual(told, [['dead', 3, 'it now becomes 3 events, and part 4 of it, which was rejected, is not one of them']])
  })
})

import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { count } from '../../aggregate/count.ts'
import { fold } from '../../aggregate/fold.ts'
import { mean } from '../../aggregate/mean.ts'
import { max, min } from '../../aggregate/min-max.ts'
import type { Aggregates } from '../../aggregate/record.ts'
import { sum } from '../../aggregate/sum.ts'
import { type Key, stableHash } from '../../base/hash.ts'
import { probeStep } from '../../testing/step-probe.ts'
import type { AggregateOptions } from '../aggregate.ts'
import { Flow } from '../flow.ts'
import type { Aggregating } from '../plan.ts'
import { aggregate, aggregateMerging, aggregatePartly } from './aggregate.ts'
import { Groups } from './groups.ts'

interface Reading {
  readonly sensor: Key
  readonly celsius: number
}

const SPEC = {
  n: count(),
  least: min(({ celsius }: Reading) => celsius),
  most: max(({ celsius }: Reading) => celsius),
  total: sum(({ celsius }: Reading) => celsius),
  mean: mean(({ celsius }: Reading) => celsius),
}

const keyed = (spec: Aggregates<Reading> = SPEC, options?: AggregateOptions): Aggregating =>
  new Flow<Reading>().keyBy(({ sensor }) => sensor).aggregate(spec, options).node.operator as Aggregating

const readings = fc.array(
  fc.record({
    sensor: fc.oneof(fc.constantFrom<Key>('a', 'b', '', 'x'.repeat(40), true, 7n), fc.integer({ min: 0, max: 3 })),
    celsius: fc.oneof(fc.integer({ min: -5, max: 40 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 })),
  }),
  { maxLength: 200 },
)

describe('aggregate', () => {
  it('L27: gives a result for each key, in the order of their coming', () => {
    const { step, take } = probeStep(aggregate(keyed({ n: count(), most: max(({ celsius }) => celsius) })))
    step.events([
      { sensor: 'a', celsius: 1 },
      { sensor: 'b', celsius: 2 },
      { sensor: 'a', celsius: 3 },
    ])
    step.end?.()
    deepEqual(take(), [
      [
        { key: 'a', n: 2, most: 3 },
        { key: 'b', n: 1, most: 2 },
      ],
    ])
  })

  it('L27: without a key gives one result, also of nothing', () => {
    const { operator } = new Flow<number>().aggregate({ n: count() }).node
    const { step, take } = probeStep(aggregate(operator as Aggregating))
    step.end?.()
    deepEqual(take(), [[{ n: 0 }]])
  })

  it('L27: fails at one key more than it may hold', () => {
    const { step } = probeStep(aggregate(keyed(SPEC, { maxKeys: 2, name: 'sums' })))
    step.events([
      { sensor: 'a', celsius: 1 },
      { sensor: 'b', celsius: 2 },
    ])
    throws(() => step.events([{ sensor: 'c', celsius: 1 }]), {
      code: 'STATE_OVER_LIMIT',
      message:
        'Cannot hold another key in sums: a stage holds 2, the limit set by maxKeys; raise maxKeys, or use windows or more stages',
    })
  })

  it('L28: tells keys apart by their value, and refuses invalid ones', () => {
    const { step, take } = probeStep(aggregate(keyed({ n: count() })))
    step.events([1, '1', 1n, true, 'true', 0, -0].map((sensor) => ({ sensor, celsius: 0 })))
    step.end?.()
    deepEqual(take().flat(), [
      { key: 1, n: 1 },
      { key: '1', n: 1 },
      { key: 1n, n: 1 },
      { key: true, n: 1 },
      { key: 'true', n: 1 },
      { key: 0, n: 2 },
    ])
    throws(() => step.events([{ sensor: Number.NaN, celsius: 0 }]), /A key is a string, number, bigint or boolean/)
  })

  it('L13: gives the same from partial results as from the events', () => {
    fc.assert(
      fc.property(readings, fc.integer({ min: 1, max: 3 }), (events, parts) => {
        const operator = keyed()
        const whole = probeStep(aggregate(operator))
        const merging = probeStep(aggregateMerging(operator))
        if (events.length > 0) whole.step.events(events)
        for (let part = 0; part < parts; part += 1) {
          const own = events.filter(({ sensor }, at) => (stableHash(sensor) + at) % parts === part)
          const partly = probeStep(aggregatePartly(operator))
          if (own.length > 0) partly.step.events(own)
          partly.step.end?.()
          for (const batch of partly.take()) merging.step.events(structuredClone(batch) as unknown[])
        }
        whole.step.end?.()
        merging.step.end?.()
        // Sums are the same within a rounding of their last digits.
        const rounded = (rows: readonly unknown[]): string[] =>
          rows.map((row) => inSixDigits(row as Record<string, unknown>)).sort()
        deepEqual(rounded(merging.take().flat()), rounded(whole.take().flat()))
      }),
    )
  })

  it('does the same with code made for it as without', () => {
    fc.assert(
      fc.property(fc.array(readings, { maxLength: 4 }), (batches) => {
        const operator = keyed({
          ...SPEC,
          all: fold({ create: () => '', add: (all, { celsius }) => `${all} ${celsius}` }),
        })
        const [made, plain] = [new Groups(operator), new Groups(operator)]
        const keyOf = (event: unknown): Key => (event as Reading).sensor
        const [add, addPlainly] = [made.adderGenerated(keyOf), plain.adderByCalls(keyOf)]
        for (const batch of batches) {
          add?.(batch)
          addPlainly(batch)
        }
        equal(made.size, plain.size)
        for (let at = 0; at < made.size; at += 1) {
          deepEqual([made.keyOf(at), made.resultOf(at, {})], [plain.keyOf(at), plain.resultOf(at, {})])
        }
      }),
    )
  })
})

function inSixDigits(row: Record<string, unknown>): string {
  const shown = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'number' ? Number(value.toPrecision(6)) : `${typeof value} ${value}`,
  ])
  return JSON.stringify(shown)
}

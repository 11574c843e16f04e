import { describe, it } from 'node:test'
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import { collect } from './collect.ts'
import { count } from './count.ts'
import { countDistinct } from './count-distinct.ts'
import { first, last } from './first-last.ts'
import { fold } from './fold.ts'
import { largest } from './largest-smallest.ts'
import { mean } from './mean.ts'
import { max, min } from './min-max.ts'
import { quantile } from './quantile.ts'
import { type Aggregates, type ResultOf, record } from './record.ts'
import { sum } from './sum.ts'
import { topK } from './top-k.ts'

interface Reading {
  readonly sensor: string
  readonly celsius: number | null
  readonly bytes: bigint
  readonly ms: number
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Takes aggregates as a flow does: the type of the event is known, that of the functions follows from it. */
declare function aggregate<S extends Aggregates<Reading>>(spec: S): ResultOf<Reading, S>

/** Compiled, and never called. */
function compiled(): void {
  const results = aggregate({
    n: count(),
    mean: mean((e) => e.celsius),
    total: sum((e) => e.ms),
    big: sum((e) => e.bytes),
    least: min((e) => e.sensor),
    most: max((e) => new Date(e.ms)),
    p99: quantile((e) => e.ms, 0.99),
    some: quantile((e) => e.celsius, [0.5, 0.9]),
    head: first(),
    tail: last((e) => e.sensor, { at: (e) => e.ms }),
    top: topK(3, (e) => e.sensor),
    great: largest(2, (e) => e.celsius),
    sensors: countDistinct((e) => e.sensor),
    all: collect((e) => e.ms, { limit: 3 }),
    folded: fold({ create: () => 0, add: (state, e: Reading) => state + e.ms, result: String }),
  })
  const same: Same<
    typeof results,
    {
      readonly n: number
      readonly mean: number | null
      readonly total: number
      readonly big: bigint | 0
      readonly least: string | null
      readonly most: Date | null
      readonly p99: number | null
      readonly some: (number | null)[]
      readonly head: Reading | null
      readonly tail: string | null
      readonly top: { readonly value: string; readonly count: number; readonly error: number }[]
      readonly great: Reading[]
      readonly sensors: number
      readonly all: number[]
      readonly folded: string
    }
  > = true
  // @ts-expect-error: the event has no such field
  aggregate({ mean: mean((e) => e.fahrenheit) })
  // @ts-expect-error: a mean is of numbers
  aggregate({ mean: mean((e) => e.sensor) })
  // @ts-expect-error: an aggregate of other events
  aggregate({ mean: mean((e: string) => e.length) })
  const own: Aggregate<Reading, number, { n: number }> = aggregateOfOwn()
  const any: AnyAggregate<Reading> = own
  const known: ResultOf<Reading, { own: typeof own }> = aggregate({ own })
  const nested: AnyAggregate<never> = record<Reading, { own: typeof own }>({ own })
  const alone = record({ n: count(), mean: mean((celsius: number) => celsius) })
  const sameAlone: Same<
    typeof alone,
    Aggregate<number, { readonly n: number; readonly mean: number | null }, unknown[]>
  > = true
  return void [same, any, known, nested, sameAlone]
}

declare function aggregateOfOwn(): Aggregate<Reading, number, { n: number }>

describe('the types of aggregates', () => {
  it('follow from the event that a flow has, and give the types of results', () => void compiled)
})

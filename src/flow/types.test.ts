import { describe, it } from 'node:test'
import { count } from '../aggregate/count.ts'
import { fold } from '../aggregate/fold.ts'
import { mean } from '../aggregate/mean.ts'
import { collect, stream } from '../engine/collect.ts'
import type { PaneWindow } from '../window/pane.ts'
import { tumbling } from '../window/window.ts'
import type { Flow } from './flow.ts'
import { flow, flows } from './start-flow.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Of<F> = F extends Flow<infer T, unknown> ? T : never

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number | null
}
declare const readings: Flow<Reading>

/** Compiled, and never called. */
async function compiled(): Promise<void> {
  const text = flow([1, 2]).map((n) => `${n}`)
  const narrowed = flow([1, null]).filter((n) => n !== null)
  const merged = flow([1]).merge(flow(['a']), flow(['b']))
  const both = flows([[1], [2]])
  const keyed = readings.keyBy(({ sensor }) => sensor).aggregate({ n: count(), mean: mean((r) => r.celsius) })
  const windowed = readings
    .keyBy(({ sensor }) => sensor)
    .window(tumbling('1m', ({ at }) => at))
    .aggregate({ n: count() })
  const all = readings.aggregate({ n: count(), last: fold({ create: () => '', add: (_, r: Reading) => r.sensor }) })
  const pairs = text.join(flow([{ id: 1 }]), { mode: 'left', left: Number, right: ({ id }) => id })
  const full = text.join(flow([1]), { mode: 'full', left: Number, right: Number })
  const items = flow(['a']).reduce(
    () => new Map<string, number>(),
    (counts, word) => counts.set(word, 1),
  )
  const states = items.emit('state')
  const number = flow([1]).reduce(
    () => 0,
    (a, n) => a + n,
  )
  const grouped = readings.groupBy(
    ({ sensor }) => sensor,
    ({ at }) => at,
  )
  const looked = readings.enrich({
    key: ({ sensor }) => sensor,
    lookup: async (sensor) => sensor.length,
    into: ({ at }, length) => ({ at, length }),
  })
  const waited = readings.mapAsync(async ({ at }) => new Date(at))
  const batched = readings.batch({ size: 10 })
  const same: readonly true[] = [
    true satisfies Same<Of<typeof text>, string>,
    true satisfies Same<Of<typeof narrowed>, number>,
    true satisfies Same<Of<typeof merged>, string | number>,
    true satisfies Same<Of<typeof both>, number>,
    true satisfies Same<Of<typeof keyed>['mean'], number | null>,
    true satisfies Same<Of<typeof keyed>['key'], string>,
    true satisfies Same<Of<typeof windowed>['window'], PaneWindow<'tumbling'>>,
    true satisfies Same<Of<typeof windowed>['window']['startMs'], number>,
    true satisfies Same<Of<typeof windowed>['n'], number>,
    true satisfies Same<Of<typeof all>['last'], string>,
    true satisfies Same<Of<typeof pairs>, readonly [string, { id: number } | undefined]>,
    true satisfies Same<Of<typeof full>, readonly [string | undefined, number | undefined]>,
    true satisfies Same<Of<typeof items>, [string, number]>,
    true satisfies Same<Of<typeof states>, Map<string, number>>,
    true satisfies Same<Of<typeof number>, number>,
    true satisfies Same<Of<typeof grouped>, [string, number[]]>,
    true satisfies Same<Of<typeof looked>, { at: number; length: number }>,
    true satisfies Same<Of<typeof waited>, Date>,
    true satisfies Same<Of<typeof batched>, readonly Reading[]>,
  ]
  const anything: Flow<unknown> = readings
  // @ts-expect-error: there is no window without one
  void windowless(keyed)
  // @ts-expect-error: numbers have no such field
  flow([1]).map((n) => n.length)
  // @ts-expect-error: uniq without a key is for keys
  readings.uniq()
  // @ts-expect-error: a key is a text, a number, a bigint or a boolean
  readings.keyBy((reading) => reading)
  const found: readonly { readonly key: string; readonly n: number }[] = await collect(keyed)
  for await (const date of stream(waited)) date.getTime()
  void [same, anything, found]
}

declare function windowless(flow: Flow<{ readonly window: PaneWindow }>): void

describe('types of flows', () => {
  it('follow from the source to the end', () => {
    void compiled
  })
})

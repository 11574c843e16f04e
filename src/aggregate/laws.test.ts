// What every aggregate holds to, however it works: one table, and the laws for each line of it.

import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../testing/times.ts'
import type { Aggregate } from './aggregate.ts'
import { collect } from './collect.ts'
import { count } from './count.ts'
import { countDistinct } from './count-distinct.ts'
import { first, last } from './first-last.ts'
import { fold } from './fold.ts'
import { largest, smallest } from './largest-smallest.ts'
import { mean } from './mean.ts'
import { max, min } from './min-max.ts'
import { quantile } from './quantile.ts'
import { record } from './record.ts'
import { sum } from './sum.ts'
import { topK } from './top-k.ts'

interface Event {
  readonly x: number | null
  readonly tag: string | number | boolean | null | undefined
  readonly big: bigint
  readonly at: Date
}

/** `inAnyOrder`: the result is that of the events as a set, whatever order they come and are merged in. */
interface Line {
  readonly aggregate: Aggregate<Event, unknown>
  readonly inAnyOrder: boolean
}

const ordered = (aggregate: unknown): Line => ({ aggregate: aggregate as Line['aggregate'], inAnyOrder: false })
const anyOrder = (aggregate: unknown): Line => ({ aggregate: aggregate as Line['aggregate'], inAnyOrder: true })
const x = (event: Event) => event.x
const tag = (event: Event) => event.tag

const lines: Record<string, Line> = {
  count: anyOrder(count()),
  'sum of integers': anyOrder(sum((event: Event) => event.x && Math.round(event.x))),
  'sum of bigints': anyOrder(sum((event: Event) => event.big)),
  'mean of integers': anyOrder(mean((event: Event) => event.x && Math.round(event.x))),
  min: anyOrder(min(x)),
  'min of Dates': anyOrder(min((event: Event) => event.at)),
  max: anyOrder(max(x)),
  'max of bigints': anyOrder(max((event: Event) => event.big)),
  'max of strings': anyOrder(max((event: Event) => `${event.tag}`)),
  first: ordered(first()),
  'first by time': ordered(first(tag, { at: (event: Event) => Math.round(event.x ?? 0) })),
  last: ordered(last()),
  'last by time': ordered(last(tag, { at: (event: Event) => Math.round(event.x ?? 0) })),
  topK: anyOrder(topK(3, tag)),
  largest: ordered(largest(3, x)),
  'largest of many equals': ordered(largest(4, (event: Event) => Math.sign(event.x ?? 0))),
  smallest: ordered(smallest(3, x)),
  quantile: anyOrder(quantile(x, 0.9)),
  'quantile, several': anyOrder(quantile(x, [0, 0.25, 0.5, 1])),
  'quantile in few buckets': anyOrder(quantile(x, [0, 0.25, 0.5, 1], { buckets: 16 })),
  countDistinct: anyOrder(countDistinct(tag)),
  'countDistinct of many': anyOrder(countDistinct((event: Event) => event.x)),
  collect: ordered(collect()),
  'collect of the first': ordered(collect(tag, { limit: 3, whenFull: 'first' })),
  fold: ordered(
    fold<Event, Set<unknown>>({
      create: () => new Set<unknown>(),
      add: (state, event) => state.add(event.tag),
      merge: (into, other) => new Set([...into, ...other]),
    }),
  ),
  record: anyOrder(record<Event>({ n: count(), most: max(x), half: quantile(x, 0.5) })),
}

const number = fc.oneof(
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(0, -0, 1e-9, 1e9, Infinity, -Infinity),
)
const event: fc.Arbitrary<Event> = fc.record(
  {
    x: fc.option(number),
    tag: fc.constantFrom('a', 'b', 'c', '1', 1, -0, 0, true, null, undefined, Infinity),
    big: fc.bigInt(),
    at: fc.date({ noInvalidDate: true }),
  },
  { noNullPrototype: true },
)
const events = fc.oneof(fc.array(event, { maxLength: 12 }), fc.array(event, { minLength: 60, maxLength: 110 }))
/** Where the events are cut into runs, as shares of their number. */
const cuts = fc.array(fc.double({ noNaN: true, min: 0, max: 1 }), { maxLength: 5 })

type Any = Aggregate<Event, unknown, unknown>

function stateOf({ create, add }: Any, all: readonly Event[]): unknown {
  return all.reduce(add, create())
}

function runsOf(all: readonly Event[], shares: readonly number[]): Event[][] {
  const ends = [...shares.map((share) => Math.floor(share * all.length)), all.length].sort((a, b) => a - b)
  return ends.map((end, i) => all.slice(ends[i - 1] ?? 0, end))
}

for (const [name, { aggregate, inAnyOrder }] of Object.entries(lines)) {
  describe(`${name}, as an aggregate`, () => {
    it('gives the same however the events are split and merged', () => {
      fc.assert(
        fc.property(events, cuts, (all, shares) => {
          const states = runsOf(all, shares).map((run) => stateOf(aggregate, run))
          const merged = states.reduce((into, other) => aggregate.merge?.(into, other))
          deepEqual(aggregate.result(merged), aggregate.result(stateOf(aggregate, all)))
        }),
        { numRuns: times(100) },
      )
    })

    it('gives the same whichever two neighbours are merged first', () => {
      fc.assert(
        fc.property(events, cuts, fc.infiniteStream(fc.nat()), (all, shares, choices) => {
          const states = runsOf(all, shares).map((run) => stateOf(aggregate, run))
          for (const choice of choices) {
            if (states.length === 1) break
            const at = choice % (states.length - 1)
            states.splice(at, 2, aggregate.merge?.(states[at], states[at + 1]))
          }
          deepEqual(aggregate.result(states[0]), aggregate.result(stateOf(aggregate, all)))
        }),
        { numRuns: times(100) },
      )
    })

    it('goes on from what was saved, through JSON and through structured clone', () => {
      fc.assert(
        fc.property(events, events, (before, after) => {
          const state = stateOf(aggregate, before)
          const saved = aggregate.save(state)
          const copies = [JSON.parse(JSON.stringify(saved)), structuredClone(saved)].map(aggregate.load)
          const whole = aggregate.result(stateOf(aggregate, [...before, ...after]))
          for (const copy of copies) {
            deepEqual(aggregate.result(copy), aggregate.result(state))
            deepEqual(aggregate.result(after.reduce(aggregate.add, copy)), whole)
          }
        }),
        { numRuns: times(100) },
      )
    })

    it('saves a copy, which events and merges that follow do not change', () => {
      fc.assert(
        fc.property(events, events, (before, after) => {
          const state = stateOf(aggregate, before)
          const saved = aggregate.save(state)
          const text = JSON.stringify(saved)
          const more = after.reduce(aggregate.add, state)
          aggregate.merge?.(more, stateOf(aggregate, after))
          after.reduce(aggregate.add, aggregate.load(saved))
          equal(JSON.stringify(saved), text)
        }),
        { numRuns: times(100) },
      )
    })

    it('may be asked at any time, and goes on unchanged', () => {
      fc.assert(
        fc.property(events, (all) => {
          let state = aggregate.create()
          for (const one of all.slice(0, 70)) {
            aggregate.result(state)
            state = aggregate.add(state, one)
          }
          const asked = all.slice(70).reduce(aggregate.add, state)
          const result = structuredClone(aggregate.result(asked))
          deepEqual(aggregate.result(asked), result)
          deepEqual(result, aggregate.result(stateOf(aggregate, all)))
        }),
        { numRuns: times(100) },
      )
    })

    it('leaves the state that was merged into another as it was', () => {
      fc.assert(
        fc.property(events, events, events, (one, two, three) => {
          const other = stateOf(aggregate, two)
          const before = structuredClone(aggregate.result(other))
          const merged = aggregate.merge?.(stateOf(aggregate, one), other)
          three.reduce(aggregate.add, merged)
          deepEqual(aggregate.result(other), before)
        }),
        { numRuns: times(100) },
      )
    })

    if (!inAnyOrder) return
    it('gives the same in any order', () => {
      fc.assert(
        fc.property(events, cuts, fc.infiniteStream(fc.nat()), (all, shares, choices) => {
          const shuffled: Event[] = []
          for (const one of all) shuffled.splice((choices.next().value as number) % (shuffled.length + 1), 0, one)
          const states = runsOf(shuffled, shares).map((run) => stateOf(aggregate, run))
          const merged = states.reduceRight((into, other) => aggregate.merge?.(into, other))
          deepEqual(aggregate.result(merged), aggregate.result(stateOf(aggregate, all)))
        }),
        { numRuns: times(100) },
      )
    })
  })
}

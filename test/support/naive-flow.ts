// Flows done in the simplest way: arrays in, arrays out. Each operator beside the call that builds it.

import fc from 'fast-check'
import { batchOf } from '../../src/connect/batch.ts'
import type { Source, SplitReader } from '../../src/connect/source.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { count, flow, flows, max, mean, min, quantile, sum } from '../../src/index.ts'
import { session, sliding, tumbling } from '../../src/window/window.ts'

/** What flows here: `id` tells events apart. */
export interface Item {
  readonly id: number
  readonly key: number
  readonly at: number
  readonly value: number
}

/** An operator from items to items. */
export interface Op {
  readonly name: string
  readonly build: (flow: Flow<Item, never>) => Flow<Item, never>
  /** The same by names of fields, where there is such a way. */
  readonly named?: (flow: Flow<Item, never>) => Flow<Item, never>
  readonly naive: (items: readonly Item[]) => Item[]
}

/** What a flow ends with: its result in no order. */
export interface Tail {
  readonly name: string
  readonly build: (flow: Flow<Item, never>) => Flow<unknown, never>
  /** The same by names of fields, where there is such a way. */
  readonly named?: (flow: Flow<Item, never>) => Flow<unknown, never>
  readonly naive: (items: readonly Item[]) => unknown[]
}

const next = (item: Item): Item => ({ ...item, value: item.value + 1 })
/** Two out of one, by ids that no other event has, whatever it was made by. */
const even = (item: Item): Item => ({ ...item, id: item.id * 2 })
const odd = (item: Item): Item => ({ ...item, id: item.id * 2 + 1, value: -item.value })
const twice = (item: Item): Item[] => [even(item), odd(item)]
const isOdd = ({ value }: Item): boolean => value % 2 !== 0
const keyOf = ({ key }: Item): number => key
/** All events are within so much of their order: none is late. */
const IN_ORDER = { outOfOrderness: 100_000 } as const

/** Which operators there are; `stages` is how many stages those have that say it. */
export function opsOf(stages: number): readonly Op[] {
  const any = (flow: Flow<unknown, unknown>): Flow<Item, never> => flow as unknown as Flow<Item, never>
  return [
    {
      name: 'map, or derive',
      build: (flow) => flow.map(next),
      named: (flow) => any(flow.derive('value', ['value'], (value) => value + 1)),
      naive: (items) => items.map(next),
    },
    {
      name: 'where',
      build: (flow) => flow.filter((item) => item.value > 0),
      named: (flow) => flow.where('value', '>', 0),
      naive: (items) => items.filter((item) => item.value > 0),
    },
    {
      name: 'where in',
      build: (flow) => flow.filter((item) => [0, 2].includes(item.key)),
      named: (flow) => flow.where('key', 'in', [0, 2]),
      naive: (items) => items.filter((item) => [0, 2].includes(item.key)),
    },
    {
      name: 'select',
      build: (flow) => flow.map((item) => ({ id: item.id, key: item.value & 3, at: item.at, value: item.key })),
      named: (flow) =>
        flow
          .select({ id: 'id', low: 'value', at: 'at', value: 'key' })
          .derive('key', ['low'], (low) => low & 3)
          .select('id', 'key', 'at', 'value'),
      naive: (items) => items.map((item) => ({ id: item.id, key: item.value & 3, at: item.at, value: item.key })),
    },
    {
      name: 'split',
      build: (flow) => flow.flatMap(twice),
      named: (flow) =>
        any(
          flow
            .derive('part', ['id'], () => 'even,,odd')
            .split('part', ',')
            .derive('value', ['value', 'part'], (value, part) => (part === 'odd' ? -value : value))
            .derive('id', ['id', 'part'], (id, part) => id * 2 + (part === 'odd' ? 1 : 0))
            .select('id', 'key', 'at', 'value'),
        ),
      naive: (items) => items.flatMap(twice),
    },
    { name: 'filter', build: (flow) => flow.filter(isOdd), naive: (items) => items.filter(isOdd) },
    { name: 'reject', build: (flow) => flow.reject(isOdd), naive: (items) => items.filter((item) => !isOdd(item)) },
    { name: 'flatMap', build: (flow) => flow.flatMap(twice), naive: (items) => items.flatMap(twice) },
    {
      name: 'flatMap of a generator',
      build: (flow) =>
        flow.flatMap(function* (item) {
          yield* twice(item)
        }),
      naive: (items) => items.flatMap(twice),
    },
    {
      name: 'uniq',
      build: (flow) => any(flow.uniq(({ id }) => id)),
      named: (flow) => any(flow.uniq('id')),
      naive: (items) => items.filter(({ id }, at) => items.findIndex((item) => item.id === id) === at),
    },
    {
      name: 'uniq by two',
      build: (flow) => any(flow.uniq(({ id, key }) => `${id} ${key}`)),
      named: (flow) => any(flow.uniq('id', 'key')),
      naive: (items) => items.filter(({ id }, at) => items.findIndex((item) => item.id === id) === at),
    },
    {
      name: 'mapBatch',
      build: (flow) => flow.mapBatch((batch) => batch.map(next), { size: 3 }),
      naive: (items) => items.map(next),
    },
    {
      name: 'batch',
      build: (flow) => flow.batch({ size: 4, key: keyOf }).flatMap((batch) => [...batch]),
      named: (flow) => flow.batch({ size: 4, key: 'key' }).flatMap((batch) => [...batch]),
      naive: (items) => [...items],
    },
    {
      name: 'partition',
      build: (flow) => flow.partition({ stages, key: keyOf }),
      named: (flow) => flow.partition({ stages, key: ['key', 'at'] }),
      naive: (items) => [...items],
    },
    {
      name: 'sort',
      build: (flow) => flow.takeSort(1000, (a, b) => a.at - b.at).flatMap((all) => [...all]),
      named: (flow) => any(flow.sort('at')),
      naive: (items) => [...items],
    },
    {
      name: 'partition by hash',
      build: (flow) => flow.partition({ stages, hash: ({ key }) => key % stages }),
      naive: (items) => [...items],
    },
    { name: 'shuffle', build: (flow) => flow.shuffle({ stages }), naive: (items) => [...items] },
    {
      name: 'merge of two branches',
      build: (flow) => flow.map(even).merge(flow.map(odd)),
      naive: (items) => [...items.map(even), ...items.map(odd)],
    },
    { name: 'merge with itself', build: (flow) => flow.merge(flow), naive: (items) => [...items, ...items] },
    {
      name: 'merge with itself and a part of it',
      build: (flow) => flow.merge(flow.filter(isOdd), flow),
      naive: (items) => [...items, ...items.filter(isOdd), ...items],
    },
    {
      name: 'mapAsync',
      build: (flow) => flow.mapAsync(async (item) => next(item), { concurrency: 3 }),
      naive: (items) => items.map(next),
    },
    {
      name: 'mapAsync, as they come',
      build: (flow) =>
        flow.mapAsync((item) => (item.id % 2 === 0 ? next(item) : Promise.resolve().then(() => next(item))), {
          ordered: false,
        }),
      naive: (items) => items.map(next),
    },
    {
      name: 'emitAndReduce',
      build: (flow) =>
        any(
          flow.emitAndReduce(
            () => 0,
            (seen, item) => [[item], seen + 1],
          ),
        ),
      naive: (items) => [...items],
    },
    {
      name: 'join',
      build: (flow) =>
        flow
          .join(flow.filter(isOdd), { stages, left: ({ id }) => id, right: ({ id }) => id, mode: 'left' })
          .map(([left, right]) => ({ ...left, value: left.value + (right?.value ?? 1000) })),
      named: (flow) =>
        any(
          flow
            .join(
              flow
                .map((item) => item)
                .where('value', '!=', 0)
                .filter(isOdd)
                .select({ id: 'id', other: 'value' }),
              {
                stages,
                on: ['id'],
                mode: 'left',
              },
            )
            .derive('value', ['value', 'other'], (value, other) => value + (other ?? 1000))
            .select('id', 'key', 'at', 'value'),
        ),
      naive: (items) =>
        items.flatMap((left) => {
          const found = items.filter((right) => isOdd(right) && right.id === left.id)
          const values = found.length === 0 ? [1000] : found.map(({ value }) => value)
          return values.map((value) => ({ ...left, value: left.value + value }))
        }),
    },
  ]
}

const groups = <K>(items: readonly Item[], by: (item: Item) => K): [K, Item[]][] => [...Map.groupBy(items, by)]
const total = (items: readonly Item[]): number => items.reduce((all, { value }) => all + value, 0)
const summary = (items: readonly Item[]): object => ({
  n: items.length,
  sum: total(items),
  least: items.length === 0 ? null : Math.min(...items.map(({ value }) => value)),
  most: items.length === 0 ? null : Math.max(...items.map(({ value }) => value)),
  mean: items.length === 0 ? null : total(items) / items.length,
})
const value = (item: Item): number => item.value
const SPEC = { n: count(), sum: sum(value), least: min(value), most: max(value), mean: mean(value) }
const NAMED_SPEC = {
  n: count(),
  sum: sum('value'),
  least: min('value'),
  most: max('value'),
  mean: mean('value'),
} as const
const round = (row: { readonly mean: number | null }): object => ({
  ...row,
  mean: row.mean === null ? null : Math.round(row.mean * 1e6) / 1e6,
})

/** The windows of an event, as their starts. */
function startsOf(at: number, size: number, every: number): number[] {
  const starts: number[] = []
  for (let start = Math.floor(at / every) * every; start > at - size; start -= every) starts.push(start)
  return starts
}

export function tailsOf(stages: number): readonly Tail[] {
  return [
    { name: 'as they are', build: (flow) => flow, naive: (items) => [...items] },
    {
      name: 'aggregate by key',
      build: (flow) =>
        flow
          .keyBy(keyOf)
          .aggregate(SPEC)
          .map(({ key, ...row }) => ({ key, ...round(row) })),
      named: (flow) =>
        flow
          .keyBy('key')
          .aggregate(NAMED_SPEC)
          .map(({ key, ...row }) => ({ key, ...round(row) })),
      naive: (items) => groups(items, keyOf).map(([key, own]) => ({ key, ...round(summary(own) as never) })),
    },
    {
      name: 'aggregate of all',
      build: (flow) => flow.aggregate(SPEC).map(round),
      named: (flow) => flow.aggregate(NAMED_SPEC).map(round),
      naive: (items) => [round(summary(items) as never)],
    },
    {
      name: 'median by key',
      build: (flow) =>
        flow
          .keyBy(keyOf)
          .aggregate({ n: count(), some: quantile(value, 0.5) })
          .map(({ key, n }) => ({ key, n })),
      named: (flow) =>
        flow
          .keyBy('key')
          .aggregate({ n: count(), some: quantile('value', 0.5) })
          .select('key', 'n'),
      naive: (items) => groups(items, keyOf).map(([key, own]) => ({ key, n: own.length })),
    },
    {
      name: 'tumbling windows',
      build: (flow) =>
        flow
          .keyBy(keyOf)
          .window(tumbling(10, ({ at }) => at, IN_ORDER))
          .aggregate({ n: count(), sum: sum(value) })
          .map(({ key, window, ...row }) => ({ key, start: window.startMs, ...row })),
      named: (flow) =>
        flow
          .keyBy('key')
          .window(tumbling(10, 'at', IN_ORDER))
          .aggregate({ n: count(), sum: sum('value') })
          .select({ key: 'key', start: 'windowStart', n: 'n', sum: 'sum' }),
      naive: (items) => windows(items, 10, 10),
    },
    {
      name: 'sliding windows',
      build: (flow) =>
        flow
          .keyBy(keyOf)
          .window(sliding(20, 5, ({ at }) => at, IN_ORDER))
          .aggregate({ n: count(), sum: sum(value) })
          .map(({ key, window, ...row }) => ({ key, start: window.startMs, ...row })),
      named: (flow) =>
        flow
          .keyBy('key')
          .window(sliding(20, 5, 'at', IN_ORDER))
          .aggregate({ n: count(), sum: sum('value') })
          .select({ key: 'key', start: 'windowStart', n: 'n', sum: 'sum' }),
      naive: (items) => windows(items, 20, 5),
    },
    {
      name: 'sessions',
      build: (flow) =>
        flow
          .keyBy(keyOf)
          .window(session(6, ({ at }) => at, IN_ORDER))
          .aggregate({ n: count() })
          .map(({ key, window, n }) => ({ key, start: window.startMs, end: window.endMs, n })),
      named: (flow) =>
        flow
          .keyBy('key')
          .window(session(6, 'at', IN_ORDER))
          .aggregate({ n: count() })
          .select({ key: 'key', start: 'windowStart', end: 'windowEnd', n: 'n' }),
      naive: (items) => groups(items, keyOf).flatMap(([key, own]) => sessions(own, 6).map((one) => ({ key, ...one }))),
    },
    {
      name: 'reduce of partitions',
      build: (flow) =>
        flow.partition({ stages, key: keyOf }).reduce(
          () => new Map<number, number>(),
          (counts, { key }) => counts.set(key, (counts.get(key) ?? 0) + 1),
        ) as Flow<unknown, never>,
      naive: (items) => groups(items, keyOf).map(([key, own]) => [key, own.length]),
    },
    {
      name: 'reduce in windows, departition',
      build: (flow) =>
        flow
          .partition({ stages, key: keyOf })
          .window(tumbling(10, ({ at }) => at, IN_ORDER))
          .reduce(
            () => 0,
            (seen) => seen + 1,
          )
          .departition(
            () => 0,
            (all, part) => all + part,
            (all, window) => ({ start: window.startMs, all }),
          ),
      naive: (items) =>
        groups(items, ({ at }) => Math.floor(at / 10) * 10).map(([start, own]) => ({ start, all: own.length })),
    },
    {
      name: 'takeSort',
      build: (flow) => flow.takeSort(3, (a, b) => b.value - a.value).map((best) => best.map(value)),
      naive: (items) => [
        items
          .map(value)
          .sort((a, b) => b - a)
          .slice(0, 3),
      ],
    },
    {
      name: 'top',
      build: (flow) => flow.takeSort(3, (a, b) => b.value - a.value).flatMap((best) => best.map(value)),
      named: (flow) => flow.top(3, 'value').map(value),
      naive: (items) =>
        items
          .map(value)
          .sort((a, b) => b - a)
          .slice(0, 3),
    },
    {
      name: 'aggregate by two keys',
      build: (flow) =>
        flow
          .keyBy(({ key, at }) => `${key} ${at}`)
          .aggregate({ n: count() })
          .map(({ key, n }) => ({ key: Number(key.split(' ')[0]), at: Number(key.split(' ')[1]), n })),
      named: (flow) => flow.keyBy('key', 'at').aggregate({ n: count() }),
      naive: (items) =>
        groups(items, ({ key, at }) => `${key} ${at}`).map(([, own]) => ({
          key: own[0]?.key,
          at: own[0]?.at,
          n: own.length,
        })),
    },
    {
      name: 'fold by key',
      build: (flow) =>
        flow
          .keyBy(keyOf)
          .fold(
            () => 0,
            (sum, item) => sum + item.value,
          )
          .map(({ key, value: all }) => ({ key, all })),
      named: (flow) =>
        flow
          .keyBy('key')
          .fold(
            () => 0,
            (sum, item) => sum + item.value,
          )
          .select({ key: 'key', all: 'value' }),
      naive: (items) => groups(items, keyOf).map(([key, own]) => ({ key, all: total(own) })),
    },
    {
      name: 'full join in windows',
      build: (flow) =>
        flow
          .join(
            flow.filter(isOdd).map((item) => ({ ...item, key: item.key + 1 })),
            { stages, mode: 'full', left: keyOf, right: keyOf, window: tumbling(10, ({ at }: Item) => at, IN_ORDER) },
          )
          .map(([left, right]) => [left?.id, right?.id]),
      named: (flow) => {
        const left = flow.select({ left: 'id', key: 'key', at: 'at' })
        const right = flow
          .filter(isOdd)
          .derive('key', ['key'], (key) => key + 1)
          .derive('cell', ['at'], (at) => Math.floor(at / 10))
          .select({ right: 'id', key: 'key', cell: 'cell' })
        return left
          .derive('cell', ['at'], (at) => Math.floor(at / 10))
          .select('left', 'key', 'cell')
          .join(right, { stages, mode: 'full', on: ['key', 'cell'] })
          .map(({ left, right }) => [left ?? undefined, right ?? undefined])
      },
      naive: (items) =>
        fullJoin(
          items,
          items.filter(isOdd).map((item) => ({ ...item, key: item.key + 1 })),
        ),
    },
  ]
}

function windows(items: readonly Item[], size: number, every: number): object[] {
  const placed = items.flatMap((item) => startsOf(item.at, size, every).map((start) => ({ item, start })))
  return [...Map.groupBy(placed, ({ item, start }) => `${item.key} ${start}`).values()].map((own) => ({
    key: own[0]?.item.key,
    start: own[0]?.start,
    n: own.length,
    sum: own.reduce((all, { item }) => all + item.value, 0),
  }))
}

function sessions(items: readonly Item[], gap: number): { start: number; end: number; n: number }[] {
  const found: { start: number; end: number; n: number }[] = []
  for (const { at } of items.toSorted((a, b) => a.at - b.at)) {
    const last = found.at(-1)
    if (last === undefined || at >= last.end) found.push({ start: at, end: at + gap, n: 1 })
    else {
      last.end = at + gap
      last.n += 1
    }
  }
  return found
}

function fullJoin(left: readonly Item[], right: readonly Item[]): unknown[] {
  const meets = (a: Item, b: Item): boolean => a.key === b.key && Math.floor(a.at / 10) === Math.floor(b.at / 10)
  const pairs = left.flatMap((a) => right.filter((b) => meets(a, b)).map((b) => [a.id, b.id]))
  const lonelyLeft = left.filter((a) => !right.some((b) => meets(a, b))).map((a) => [a.id, undefined])
  const lonelyRight = right.filter((b) => !left.some((a) => meets(a, b))).map((b) => [undefined, b.id])
  return [...pairs, ...lonelyLeft, ...lonelyRight]
}

/** Events of a source: ids are given by place. */
export const itemsOf: fc.Arbitrary<Item[]> = fc
  .array(fc.record({ key: fc.nat(3), at: fc.integer({ min: -40, max: 60 }), value: fc.integer({ min: -9, max: 9 }) }), {
    maxLength: 40,
  })
  .map((rows) => rows.map((row, id) => ({ id, ...row })))

/** What runs, as a flow or as a pipeline, at random and as plain data: which operators by chance, and what they get. */
export interface RandomPlan {
  readonly sources: readonly Item[][]
  /** Whether all of them are splits of one source. */
  readonly isSplit: boolean
  readonly ops: readonly number[]
  readonly tail: number
  readonly stages: number
  /** Whether operators take fields by their names, where they can. */
  readonly isNamed: boolean
}

export const plansOf: fc.Arbitrary<RandomPlan> = fc.record({
  sources: fc.array(itemsOf, { minLength: 1, maxLength: 3 }),
  isSplit: fc.boolean(),
  ops: fc.array(fc.nat(), { maxLength: 5 }),
  tail: fc.nat(),
  stages: fc.integer({ min: 1, max: 4 }),
  isNamed: fc.boolean(),
})

/** The most items of a read. */
const READ = 7

/** A source with a split for each of these. */
function splitInto(all: readonly (readonly Item[])[]): Source<Item> {
  return {
    kind: 'items',
    title: 'items',
    splits: async () => all.map((_, at) => ({ id: `${at}` })),
    open: async ({ id }, from = 0) => readerOf(id, all[Number(id)] ?? [], Number(from)),
  }
}

function readerOf(source: string, items: readonly Item[], from: number): SplitReader<Item> {
  let next = from
  const counts = { read: 0, blank: 0, invalidUtf8: 0 }
  return {
    counts,
    doneBytes: 0,
    position: () => next,
    read: (max) => {
      const first = next
      const some = items.slice(first, first + Math.min(max, READ))
      if (some.length === 0) return undefined
      next += some.length
      counts.read += some.length
      const at = (index: number) => ({ source, line: 0, offset: first + index, raw: '' })
      return { events: batchOf(some, { at }), rejected: [] }
    },
    close: async () => {},
  }
}

/** The items of each source, told apart by their ids. */
function itemsIn({ sources }: RandomPlan): Item[][] {
  return sources.map((items, source) => items.map((item) => ({ ...item, id: item.id + source * 1000 })))
}

/** The source of a plan that runs as a pipeline. */
export function sourceIn(plan: RandomPlan): Source<Item> {
  const all = itemsIn(plan)
  return splitInto(plan.isSplit ? all : all.slice(0, 1))
}

/** The flow with which a plan begins. @param input - of a pipeline: what its source gives */
function beginningOf(plan: RandomPlan, input: Flow<Item, never> | undefined): Flow<Item, never> {
  const all = itemsIn(plan)
  const further = plan.isSplit ? [] : all.slice(1).map((items) => flow(splitInto([items])))
  if (input !== undefined) return further.length === 0 ? input : input.merge(...further)
  if (plan.isSplit) return flow(sourceIn(plan))
  return all.length === 1 ? flow(all[0] ?? []) : flows(all)
}

/** Operators and ends that can be told names of fields, each alone: by names, by functions, and what arrays give. */
export function namedOnes(
  items: readonly Item[],
  stages: number,
): readonly { readonly name: string; readonly flows: readonly Flow<unknown, never>[]; readonly expected: unknown[] }[] {
  return [...opsOf(stages), ...tailsOf(stages)].flatMap(({ name, build, named, naive }) => {
    if (named === undefined) return []
    return [{ name, flows: [build(flow(items)), named(flow(items))], expected: naive(items) }]
  })
}

/** The flow of a plan, and what arrays give for it, in no order. @param input - of a pipeline: what its source gives */
export function builtOf(
  plan: RandomPlan,
  input?: Flow<Item, never>,
): {
  readonly flow: Flow<unknown, never>
  readonly expected: readonly unknown[]
  readonly names: string
} {
  const { ops, tail, stages, isNamed } = plan
  let built = beginningOf(plan, input)
  let expected: Item[] = itemsIn(plan).flat()
  const known = opsOf(stages)
  const names: string[] = []
  for (const chance of ops) {
    const op = known[chance % known.length]
    // A join of all with all, several times over, is no longer small.
    if (op === undefined || expected.length > 300) continue
    names.push(op.name)
    built = (isNamed ? (op.named ?? op.build) : op.build)(built)
    expected = op.naive(expected)
  }
  const tails = tailsOf(stages)
  const end = tails[tail % tails.length] as Tail
  const ended = (isNamed ? (end.named ?? end.build) : end.build)(built)
  return { flow: ended, expected: end.naive(expected), names: [...names, end.name].join(', ') }
}

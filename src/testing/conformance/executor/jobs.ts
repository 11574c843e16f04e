// What executors are tested with: one flow, and one pipeline with the same operators, named in the module's own URL.

import { count } from '../../../aggregate/count.ts'
import { sum } from '../../../aggregate/sum.ts'
import { SluiceError } from '../../../base/errors.ts'
import { valuesSource } from '../../../connect/memory/values.ts'
import type { Flow } from '../../../flow/flow.ts'
import { flow } from '../../../flow/start-flow.ts'
import { pipeline } from '../../../pipeline/pipeline.ts'
import { tumbling } from '../../../window/window.ts'
import { MemoryTable } from './table.ts'

export interface Item {
  readonly id: number
  readonly key: number
  readonly at: number
}

/** A flow, and the same computed with arrays. */
export interface Plan {
  readonly of: (items: Flow<Item, unknown>) => Flow<unknown, unknown>
  readonly expected: (items: readonly Item[]) => readonly unknown[]
}

/** Something goes wrong at item 50, with `broken` as its message. */
type Failing = (items: Flow<Item, unknown>) => Flow<unknown, unknown>

export const ITEMS: readonly Item[] = itemsFrom(0, 120)
const OTHERS = itemsFrom(1000, 1060)
const IN_ORDER = { outOfOrderness: 1000 } as const
const keyOf = ({ key }: Item): number => key

function itemsFrom(first: number, end: number): Item[] {
  return Array.from({ length: end - first }, (_, n) => ({ id: first + n, key: n % 7, at: 3 * n - (n % 4) * 2 }))
}

export const PLANS: Readonly<Record<string, Plan>> = {
  'map, filter and flatMap': {
    of: (items) =>
      items
        .map((item) => item.id)
        .filter((id) => id % 3 !== 0)
        .flatMap((id) => [id, -id]),
    expected: (items) => items.flatMap(({ id }) => (id % 3 === 0 ? [] : [id, -id])),
  },
  'an aggregate by key': {
    of: (items) => items.keyBy(keyOf).aggregate({ n: count(), all: sum(({ id }) => id) }),
    expected: (items) => groups(items).map(([key, own]) => ({ key, n: own.length, all: total(own) })),
  },
  'an aggregate of all': {
    of: (items) => items.aggregate({ n: count() }),
    expected: (items) => [{ n: items.length }],
  },
  'windows by key': {
    of: (items) =>
      items
        .keyBy(keyOf)
        .window(tumbling(50, ({ at }) => at, IN_ORDER))
        .aggregate({ n: count() })
        .map(({ key, window, n }) => ({ key, start: window.startMs, n })),
    expected: (items) =>
      [...Map.groupBy(items, ({ key, at }) => `${key} ${Math.floor(at / 50)}`).values()].map((own) => ({
        key: own[0]?.key,
        start: Math.floor((own[0]?.at ?? 0) / 50) * 50,
        n: own.length,
      })),
  },
  'a join': {
    of: (items) =>
      items
        .join(
          items.filter(({ id }) => id % 2 === 0),
          { left: ({ id }) => id, right: ({ id }) => id, mode: 'left' },
        )
        .map(([left, right]) => [left.id, right?.id]),
    expected: (items) => items.map(({ id }) => [id, id % 2 === 0 ? id : undefined]),
  },
  mapAsync: {
    of: (items) => items.mapAsync(({ id }) => Promise.resolve().then(() => id), { concurrency: 5 }),
    expected: (items) => items.map(({ id }) => id),
  },
  'a merge of several sources': {
    of: (items) =>
      items
        .merge(
          flow(valuesSource(OTHERS)),
          items.filter(({ key }) => key === 0),
        )
        .map(({ id }) => id),
    expected: (items) => [...items, ...OTHERS, ...items.filter(({ key }) => key === 0)].map(({ id }) => id),
  },
  'partitions, then uniq': {
    of: (items) => items.partition({ key: keyOf }).map(keyOf).uniq(),
    expected: () => [0, 1, 2, 3, 4, 5, 6],
  },
  'the last of an order': {
    of: (items) => items.takeSort(3, (a, b) => b.id - a.id).map((best) => best.map(({ id }) => id)),
    expected: (items) => [
      items
        .map(({ id }) => -id)
        .sort((a, b) => a - b)
        .slice(0, 3)
        .map((id) => -id),
    ],
  },
}

/** Functions that throw, by where they are. */
export const FAILING: Readonly<Record<string, Failing>> = {
  'an aggregate': (items) => items.keyBy(keyOf).aggregate({ all: sum((item: Item) => broken(item).id) }),
  'a reduction of partitions': (items) =>
    items.partition({ key: keyOf }).reduce(
      () => 0,
      (all, item) => all + broken(item).id,
    ),
  'the key of an exchange': (items) =>
    items.partition({ stages: 2, key: (item) => broken(item).key }).map(({ id }) => id),
}

/** Functions that throw: in a pipeline their event becomes a dead letter, and the others continue. */
export const REFUSING: Readonly<Record<string, Failing>> = {
  'a map': (items) => items.map(broken).map(({ id }) => id),
  'a filter after an exchange': (items) =>
    items
      .partition({ key: keyOf })
      .filter((item) => broken(item).id >= 0)
      .map(({ id }) => id),
  'a flatMap': (items) => items.flatMap((item) => [broken(item).id]),
  'a call': (items) => items.mapAsync(async (item) => broken(item).id),
}

function broken(item: Item): Item {
  if (item.id === 50) throw new RangeError('broken')
  return item
}

function groups(items: readonly Item[]): [number, Item[]][] {
  return [...Map.groupBy(items, keyOf)]
}

function total(items: readonly Item[]): number {
  return items.reduce((all, { id }) => all + id, 0)
}

/** Sources by name: `items`, two that fail after some, one without an end. */
const SOURCES: Readonly<Record<string, () => Iterable<Item> | AsyncIterable<Item>>> = {
  items: () => ITEMS,
  *failing() {
    yield* ITEMS.slice(0, 60)
    throw new RangeError('broken')
  },
  *damaged() {
    yield* ITEMS.slice(0, 60)
    const details = { source: 'items', offset: 7, found: 'damage' }
    throw new SluiceError('SOURCE_CORRUPT', 'Cannot read items: damage', details)
  },
  async *endless() {
    for (let id = 0; ; id += 1) {
      yield { id, key: id % 7, at: id }
      if (id % 50 === 0) await new Promise(setImmediate)
    }
  },
}

const LATE: Plan['of'] = (items) =>
  items
    .map((item) => (item.id === 100 ? { ...item, at: -500 } : item))
    .keyBy(keyOf)
    .window(tumbling(10, ({ at }) => at, { outOfOrderness: 20 }))
    .aggregate({ n: count() })
    .map(({ n }) => n)
/** Each stage holds more keys than it may. */
const LIMITED: Plan['of'] = (items) => items.uniq(({ id }) => id, { maxKeys: 20, name: 'once' }).map(({ id }) => id)
const TOTAL: Plan['of'] = (items) => items.map(({ id }) => id).aggregate({ n: count(), all: sum((id) => id) })

const OTHER_PLANS: Readonly<Record<string, Plan['of']>> = { late: LATE, limited: LIMITED }

const asked = new URL(import.meta.url).searchParams
const name = asked.get('plan') ?? ''
const make = SOURCES[asked.get('source') ?? 'items'] ?? (() => [])
const of = PLANS[name]?.of ?? FAILING[name] ?? REFUSING[name] ?? OTHER_PLANS[name] ?? TOTAL

/** Where the pipeline of this module loads; each module has its own. */
export const table: MemoryTable = new MemoryTable()

const told: Flow<unknown, unknown> = of(flow(valuesSource(make)))
export default told

export const load: ReturnType<typeof pipeline> = pipeline('load', {
  from: () => valuesSource<Item>(make),
  flow: (items) => of(items) as Flow<unknown, unknown>,
  into: () => table.sink,
  results: 'append',
}) as ReturnType<typeof pipeline>

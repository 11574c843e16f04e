// Flows with state, for tests that cut pipelines short.

import { count } from '../../aggregate/count.ts'
import { max } from '../../aggregate/min-max.ts'
import { sum } from '../../aggregate/sum.ts'
import type { Flow } from '../../flow/flow.ts'
import { session, sliding, tumbling } from '../../window/window.ts'

export interface Reading {
  readonly n: number
  readonly at: number
}

export type Row = Readonly<Record<string, unknown>>

/** Flows with state. Each row of a keyed one overwrites the previous row with its key. */
export const FLOWS: Readonly<
  Record<string, { readonly key?: readonly string[]; readonly of: (all: Flow<Reading>) => Flow<unknown, unknown> }>
> = {
  'aggregate by key': {
    key: ['key'],
    of: (all) => all.keyBy((r) => r.n % 5).aggregate({ n: count(), total: sum((r) => r.n) }),
  },
  'aggregate over all': {
    key: ['of'],
    of: (all) => all.aggregate({ n: count(), top: max((r) => r.n) }).map((r) => ({ of: 'all', ...r })),
  },
  'tumbling windows': {
    key: ['key', 'start'],
    of: (all) =>
      all
        .keyBy((r) => r.n % 3)
        .window(tumbling(10, (r) => r.at, { outOfOrderness: 5 }))
        .aggregate({ n: count(), total: sum((r) => r.n) })
        .map(({ window, ...row }) => ({ ...row, start: window.startMs })),
  },
  'sliding windows': {
    key: ['start'],
    of: (all) =>
      all
        .window(sliding(20, 5, (r) => r.at, { outOfOrderness: 5 }))
        .aggregate({ n: count() })
        .map(({ window, n }) => ({ start: window.startMs, n })),
  },
  sessions: {
    key: ['key', 'start'],
    of: (all) =>
      all
        .keyBy((r) => r.n % 2)
        .window(session(4, (r) => r.at, { outOfOrderness: 5 }))
        .aggregate({ n: count(), total: sum((r) => r.n) })
        .map(({ window, ...row }) => ({ ...row, start: window.startMs })),
  },
  uniq: { of: (all) => all.uniq((r) => r.n).map(({ n }) => ({ n })) },
  reduce: {
    key: ['of'],
    of: (all) =>
      all
        .reduce(
          () => new Map<number, number>(),
          (seen, { n }) => seen.set(n % 4, (seen.get(n % 4) ?? 0) + n),
        )
        .map(([of, total]) => ({ of, total })),
  },
  emitAndReduce: {
    of: (all) =>
      all.emitAndReduce(
        () => 0,
        (total, { n }) => [(total + n) % 7 === 0 ? [{ total: total + n } as Row] : [], total + n],
      ),
  },
  batch: { of: (all) => all.batch({ size: 3 }).map((batch) => ({ of: batch.map(({ n }) => n).join() })) },
  'join with itself': {
    of: (all) =>
      all
        .filter(({ n }) => n % 2 === 0)
        .join(
          all.filter(({ n }) => n % 3 === 0),
          { left: (r) => r.n, right: (r) => r.n },
        )
        .map(([left, right]) => ({ left: left?.at, right: right?.at })),
  },
  'merge with itself': {
    of: (all) =>
      all
        .merge(
          all,
          all.filter(({ n }) => n % 2 === 0),
        )
        .map(({ n }) => ({ n })),
  },
  'windows of a merge with itself': {
    key: ['start'],
    of: (all) =>
      all
        .merge(all)
        .window(tumbling(10, (r) => r.at, { outOfOrderness: 5 }))
        .aggregate({ n: count() })
        .map(({ window, n }) => ({ start: window.startMs, n })),
  },
  'calls that fail at some': {
    of: (all) =>
      all
        .mapAsync(
          async ({ n }) => {
            if (n % 11 === 0) throw new RangeError(`${n} is too much`)
            return { n }
          },
          { concurrency: 3, ordered: true },
        )
        .map((r) => r as Row),
  },
}

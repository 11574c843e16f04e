import { deepEqual, equal, notEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { count } from '../aggregate/count.ts'
import { fold } from '../aggregate/fold.ts'
import type { Source } from '../connect/source.ts'
import { session, tumbling } from '../window/window.ts'
import { Flow } from './flow.ts'
import { layOut } from './layout.ts'
import { flow, flows } from './start-flow.ts'
import { fingerprintOf, type Topology, worksOf } from './topology.ts'

interface Timed {
  readonly at: number
}

const topologyOf = (built: Flow<unknown, unknown>, stages = 4): Topology => layOut(built.node, { stages })
const layersOf = (built: Flow<unknown, unknown>, stages = 4): number[] =>
  topologyOf(built, stages).layers.map((layer) => layer.stages)
const exchangesOf = (built: Flow<unknown, unknown>, stages = 4): string[] =>
  topologyOf(built, stages).layers.flatMap(({ inputs }) => inputs.map(({ exchange }) => exchange.kind))
const works = (built: Flow<unknown, unknown>, stages = 4): string[][] => topologyOf(built, stages).layers.map(worksOf)

const one = flow([1])
const three = flows([[1], [2], [3]])
const timed = flow([] as Timed[])
const sum = (all: number, n: number): number => all + n
const zero = (): number => 0
const split: Source<number> = {
  kind: 'parts',
  title: 'parts',
  splits: async () => [],
  open: () => Promise.reject(new Error('unopened')),
}
const minutes = tumbling('1m', ({ at }: Timed) => at)

const LAYERS: Readonly<Record<string, readonly [built: Flow<never, unknown>, stages: number, layers: number[]]>> = {
  'three sources, nothing else': [three as never, 4, [1, 1, 1]],
  'three sources, map': [three.map((n) => n) as never, 4, [1, 1, 1, 4]],
  'three sources, map, two stages': [three.map((n) => n) as never, 2, [1, 1, 1, 2]],
  'map, filter, flatMap': [
    one
      .map((n) => n)
      .filter(Boolean)
      .flatMap((n) => [n]) as never,
    4,
    [1, 4],
  ],
  'partition, reduce': [one.partition({ stages: 4 }).reduce(zero, sum) as never, 1, [1, 4]],
  'map, partition, reduce': [
    one
      .map((n) => n)
      .partition({ stages: 4 })
      .reduce(zero, sum) as never,
    4,
    [1, 4, 4],
  ],
  'shuffle and nothing after': [one.shuffle({ stages: 4 }) as never, 4, [1]],
  departition: [one.partition({ stages: 4 }).reduce(zero, sum).departition(zero, sum) as never, 1, [1, 4, 1]],
  join: [
    one.join(
      one.map((n) => n),
      { left: Number, right: Number, stages: 3 },
    ) as never,
    1,
    [1, 1, 1, 3],
  ],
  'join of two sources': [one.join(flow([2]), { left: Number, right: Number, stages: 3 }) as never, 3, [1, 1, 3, 3, 3]],
  'keyBy, aggregate': [one.keyBy((n) => n).aggregate({ n: count() }) as never, 4, [1, 4, 4]],
  'aggregate without a key': [one.aggregate({ n: count() }) as never, 4, [1, 4, 1]],
  'a reduction in all': [one.reduce(zero, sum) as never, 4, [1, 1]],
  take: [one.map((n) => n).take(3) as never, 4, [1, 4, 1]],
}

describe('layOut', () => {
  for (const [name, [built, stages, layers]] of Object.entries(LAYERS)) {
    it(`L12: ${name}, ${stages} stages: ${layers.join(', ')}`, () => deepEqual(layersOf(built, stages), layers))
  }

  it('L10: operators in a row share a stage', () => {
    const built = one
      .map((n) => n, { name: 'a' })
      .filter(Boolean, { name: 'b' })
      .uniq({ name: 'c' })
      .take(1)
    deepEqual(works(built, 1), [['array'], ['map a', 'filter b', 'uniq c', 'take']])
  })

  it('L10: what several flows continue is a layer of its own, computed once', () => {
    const shared = one.map((n) => n, { name: 'shared' })
    const both = shared.map((n) => n, { name: 'left' }).merge(shared.map((n) => n, { name: 'right' }))
    deepEqual(works(both, 1), [['array'], ['map shared'], ['map left'], ['map right']])
  })

  it('L11: keyed work in one stage needs no exchange', () => {
    deepEqual(
      layersOf(
        one
          .map((n) => n)
          .keyBy((n) => n)
          .aggregate({ n: count() }),
        1,
      ),
      [1, 1],
    )
  })

  it('L13: partial results travel by key; what cannot be merged has its events exchanged', () => {
    const folded = fold({ create: zero, add: sum })
    const keyed = one.keyBy((n) => n)
    deepEqual(works(keyed.aggregate({ n: count() })), [
      ['array'],
      ['aggregate (partial results)'],
      ['aggregate (merging)'],
    ])
    deepEqual(works(keyed.aggregate({ n: folded })), [['array'], ['aggregate']])
    deepEqual(exchangesOf(keyed.aggregate({ n: folded })), ['key'])
    deepEqual(exchangesOf(keyed.aggregate({ n: count() })), ['free', 'key'])
  })

  it('L14: a source with splits has as many stages as what follows, each taking from its own', () => {
    const built = flow(split).map((n) => n)
    deepEqual([layersOf(built, 3), exchangesOf(built, 3)], [[3, 3], ['forward']])
    deepEqual(layersOf(flow(split, { stages: 2 }).map((n) => n)), [2, 2])
    deepEqual(layersOf(flow([1], { stages: 2 }).map((n) => n)), [1, 2])
  })

  it('L15: one stage tells the times of a source that cannot be split, several those of one that can', () => {
    deepEqual(
      layersOf(
        timed
          .map((e) => e)
          .keyBy(({ at }) => at)
          .window(minutes)
          .aggregate({ n: count() }),
      ),
      [1, 1],
    )
    const parts = flow(split).map((at) => ({ at }))
    const windowed = parts
      .keyBy(({ at }) => at)
      .window(minutes)
      .aggregate({ n: count() })
    deepEqual(layersOf(windowed), [4, 4, 4])
    deepEqual(works(windowed)[1]?.[1], 'event times of aggregate 2')
  })

  it('L16: tells plans apart by layers, stages, operators and exchanges, and by nothing else', () => {
    const of = (built: Flow<unknown, unknown>, stages = 2): string => fingerprintOf(topologyOf(built, stages))
    const build = (name: string): Flow<unknown> => flow([1]).map((n) => n + Math.random(), { name })
    equal(of(build('a')), of(build('a')))
    const others = [build('b'), build('a').map((n) => n), build('a').partition({ key: Number }).reduce(zero, zero)]
    for (const other of others) notEqual(of(other), of(build('a')))
    notEqual(of(build('a'), 3), of(build('a'), 2))
  })

  it('L2: refuses a flow that continues the source of a pipeline', () => {
    throws(
      () => topologyOf(new Flow().map((n) => n)),
      /begins at a source: this one continues the source of a pipeline/,
    )
  })

  it('L3: tells the place of an operator in a long or much shared flow', () => {
    let long: Flow<number> = one
    for (let n = 0; n < 3000; n += 1) long = long.map((value) => value)
    equal(long.node.operator.name, 'map 3000')
    let shared: Flow<number> = one
    for (let n = 0; n < 60; n += 1) shared = shared.merge(shared)
    equal(shared.node.operator.name, 'merge 60')
  })

  it('L2: sessions need states that can be merged', () => {
    const folded = fold({ create: zero, add: (n: number) => n + 1 })
    const sessions = timed.window(session('1m', ({ at }) => at))
    throws(() => sessions.aggregate({ n: folded }, { name: 'visits' }), {
      name: 'TypeError',
      message: 'visits does not work in sessions: they merge, and its states cannot',
    })
    throws(() => sessions.reduce(zero, (n) => n + 1), /reduce 1 does not work in sessions/)
    equal(layersOf(sessions.aggregate({ n: count() }), 1).length, 2)
  })
})

import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { layOut } from '../../flow/layout.ts'
import { count, flow, flows } from '../../index.ts'
import { type EngineStage, engineStagesOf } from './engine-stages.ts'

const SHARDS = 16
const stagesOf = (of: { readonly node: Parameters<typeof layOut>[0] }): readonly EngineStage[] =>
  engineStagesOf(layOut(of.node, { stages: SHARDS }))

describe('stages of an engine', () => {
  it('have all layers that forward to each other, and nothing between them but exchanges', () => {
    const words = flow(['a b'])
      .flatMap((line) => line.split(' '))
      .keyBy((word) => word)
      .aggregate({ n: count() })
      .map((row) => row.n)
    const stages = stagesOf(words)
    for (const { layers, inputs, sources } of stages) {
      equal(inputs.length === 0, sources.length > 0)
      for (const layer of layers.slice(1)) {
        deepEqual(
          layer.inputs.map(({ from }) => layers.includes(from)),
          layer.inputs.map(() => true),
        )
      }
    }
    deepEqual(
      stages.map(({ shards, isLast }) => [shards, isLast]),
      [
        [1, false],
        [SHARDS, false],
        [SHARDS, true],
      ],
    )
  })

  it('either read or take from others, never both', () => {
    const split = { kind: 's', title: 's', splits: async () => [], open: () => Promise.reject(new Error('not opened')) }
    for (const mixed of [
      flows([[1], split as never]),
      flow([1]).merge(flow([2]).partition({ stages: 3, key: (n) => n })),
    ]) {
      for (const { sources, inputs } of stagesOf(mixed)) equal(sources.length > 0, inputs.length === 0)
    }
  })

  it('name their crossings alike, wherever they are laid out', () => {
    const plan = flow([1, 2]).join(flow([2, 3]), { left: (n) => n, right: (n) => n })
    const names = (): string[] => stagesOf(plan).flatMap(({ inputs }) => inputs.map(({ id }) => id))
    equal(new Set(names()).size, names().length)
    deepEqual(names(), names())
  })
})

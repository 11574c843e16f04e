import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { count } from '../aggregate/count.ts'
import type { Source, Split } from '../connect/source.ts'
import { flow } from '../flow/start-flow.ts'
import { explain } from './explain.ts'
import { choose } from './start.ts'

const words = flow(['a b'])
  .flatMap((line) => line.split(' '), { name: 'split' })
  .keyBy((word) => word)
  .aggregate({ n: count() }, { name: 'counts' })

const MIB = 1024 * 1024
const parts = (...sizes: (number | undefined)[]): Source<number> => ({
  kind: 'parts',
  title: 'parts',
  splits: async () =>
    sizes.map((sizeBytes, id): Split => (sizeBytes === undefined ? { id: `${id}` } : { id: `${id}`, sizeBytes })),
  open: () => Promise.reject(new Error('opened')),
})

describe('explain', () => {
  it('names layers, stages, operators and exchanges, and where it would run', async () => {
    deepEqual((await explain(words, { stages: 3 })).split('\n').slice(0, -2), [
      'layer 1, 1 stage: array',
      'layer 2, 3 stages: flatMap split, aggregate (partial results) counts',
      '  takes from layer 1: whichever stage is free',
      'layer 3, 3 stages: aggregate (merging) counts',
      '  takes from layer 2: equal keys meet',
      'runs in one thread: the flow was passed directly, not as a module, and no function crosses a thread',
    ])
  })

  it('draws the same', async () => {
    equal(
      await explain(words, { stages: 2, as: 'mermaid' }),
      [
        'flowchart LR',
        '  layer1[("array")]',
        '  layer2["flatMap split<br>aggregate (partial results) counts<br>2 stages"]',
        '  layer3["aggregate (merging) counts<br>2 stages"]',
        '  out(("out"))',
        '  layer1 -->|free| layer2',
        '  layer2 -->|by key| layer3',
        '  layer3 --> out',
        '',
      ].join('\n'),
    )
  })

  it('L91: names keys by the field that their function gives, or by the function, where either is known', async () => {
    const city = (row: { readonly city: string }): string => row.city.trim()
    const meets = async (key: (row: { readonly city: string }) => string): Promise<string | undefined> => {
      const told = await explain(
        flow([{ city: 'Bern' }])
          .partition({ stages: 2, key })
          .aggregate({ n: count() }),
      )
      return /equal keys meet.*/.exec(told)?.[0]
    }
    equal(await meets((row) => row.city), 'equal keys meet, by city')
    equal(await meets(({ city }) => city), 'equal keys meet, by city')
    equal(await meets(city), 'equal keys meet, by city')
    equal(await meets((row) => `${row.city}!`), 'equal keys meet')
  })

  it('opens nothing', async () => {
    match(await explain(flow(parts(MIB)).map((n) => n)), /layer 2/)
  })

  it('refuses what is no flow', async () => {
    await rejects(explain(5 as never), { message: /explain takes a flow, or the URL of a module/ })
  })
})

describe('choose', () => {
  it('L54: starts threads for sources that can be read side by side, and are worth it', async () => {
    const { node } = flow(parts(40 * MIB, 40 * MIB)).map((n) => n)
    equal((await choose(node)).threads, 2)
    equal((await choose(flow(parts(undefined, undefined)).node)).threads, 2)
  })

  const inOne = {
    'a source that cannot be read in parallel would feed all threads': flow(parts(40 * MIB, 40 * MIB)).merge(flow([1])),
    'there is one part to read': flow(parts(99 * MIB)),
    'there is less to read than 64 MiB': flow(parts(MIB, MIB)),
  }
  for (const [why, built] of Object.entries(inOne)) {
    it(`L54: stays in one thread: ${why}`, async () => deepEqual(await choose(built.node), { threads: 0, why }))
  }
})

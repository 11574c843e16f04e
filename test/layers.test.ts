import { deepEqual, ok } from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startPipeline } from 'sluice'
import { NO_TOTALS } from '../src/connect/totals.ts'
import type { StageFigures } from '../src/pipeline/snapshot.ts'
import { Job } from './support/job.ts'

describe('the layers of a snapshot', () => {
  const job = new Job(
    'count, fileSource, pipeline, sqliteSink, textLines',
    `export default pipeline('words', {
      from: () => fileSource(new URL('in.log', import.meta.url).pathname, textLines()),
      flow: (lines) => lines
        .mapAsync(async (text) => {
          if (text === 'slow') throw new Error('too slow')
          return text
        }, { name: 'looked up', concurrency: 2 })
        .partition({ stages: 2, key: (text) => text }).keyBy((text) => text).aggregate({ n: count() })
        .map(({ key, n }) => {
          if (key === 'bad') throw new Error('a bad word')
          return { key, n }
        }, { name: 'row' }),
      into: () => sqliteSink(new URL('out.db', import.meta.url).pathname, { table: 'words', key: ['key'] }),
    })`,
  )
  after(() => job[Symbol.dispose]())
  job.write('in.log', ['a', 'b', 'slow', 'a', 'bad', 'a', ''].join('\n'))

  it('say what each does, what it takes from, and whose dead letters are whose', async () => {
    const { default: words } = await import(job.file)
    const run = await startPipeline(words)
    await run.done
    const { layers } = run.snapshot()
    deepEqual(
      layers.map(({ kind, inputs, stages, dead }) => [
        kind,
        inputs.map(({ exchange }) => exchange),
        stages.length,
        dead,
      ]),
      [
        ['source', [], 1, 0],
        ['calls', ['forward'], 1, 1],
        ['steps', ['key'], 2, 0],
        ['steps', ['key'], 2, 1],
        ['load', ['forward'], 1, 0],
      ],
    )
    ok(layers.every(({ title }) => title !== ''))
    const sums = layers.map(({ stages }) => {
      return [stages.reduce((sum, one) => sum + one.received, 0), stages.reduce((sum, one) => sum + one.emitted, 0)]
    })
    deepEqual(
      [sums[0], sums[1], sums.at(-1)],
      [
        [6, 6],
        [6, 5],
        [2, 2],
      ],
    )
  })

  for (const threads of [undefined, 2]) {
    it(`C6: count what is filtered and derived where that is done, ${threads === undefined ? 'in one thread' : 'on two'}`, async () => {
      using counted = new Job(
        'pipeline, sqliteSink, valuesSource',
        `export default pipeline('counted', {
          from: () => valuesSource(Array.from({ length: 100 }, (_, n) => n)),
          flow: (numbers) => numbers
            .shuffle({ stages: 2 }).filter((n) => n % 2 === 0).flatMap((n) => [n, n + 0.5])
            .partition({ stages: 2, key: (n) => n }).filter((n) => n > 10).map((n) => ({ n })),
          into: () => sqliteSink(new URL('out.db', import.meta.url).pathname, { table: 't', key: ['n'] }),
        })`,
      )
      const options = { epochEvents: 7, ...(threads === undefined ? {} : { threads }) }
      const run = await startPipeline(pathToFileURL(counted.file), options)
      const { overall } = await run.done
      deepEqual(overall, { ...NO_TOTALS, read: 100, derived: 50, filtered: 61, loaded: 89 })
      deepEqual(
        run.snapshot().layers.map(({ stages }) => [total(stages, 'filtered'), total(stages, 'derived')]),
        [
          [0, 0],
          [50, 50],
          [11, 0],
          [0, 0],
        ],
      )
    })
  }
})

function total(stages: readonly StageFigures[], figure: 'filtered' | 'derived'): number {
  return stages.reduce((sum, stage) => sum + stage[figure], 0)
}

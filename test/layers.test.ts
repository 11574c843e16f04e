import { deepEqual, ok } from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { startPipeline } from 'sluice'
import { Job } from './support/job.ts'

describe('the layers of a snapshot', () => {
  const job = new Job(
    'count, files, pipeline, sqlite, textLines',
    `export default pipeline('words', {
      from: () => files(new URL('in.log', import.meta.url).pathname, textLines()),
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
      into: () => sqlite(new URL('out.db', import.meta.url).pathname, { table: 'words', key: ['key'] }),
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
})

import { deepEqual, equal, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pipeline, type Sink, type Source, startPipeline } from 'sluice'
import { checkpointed } from '../src/connect/checkpointed/sink.ts'
import { ndjsonSink } from '../src/connect/files/part-files/ndjson.ts'
import { callbackSink } from '../src/connect/memory/callback.ts'
import { valuesSource } from '../src/connect/memory/values.ts'
import { idsIn, listedIn, unfinishedIn } from './support/part-files.ts'

interface Row {
  readonly id: number
}

describe('a pipeline into part files', () => {
  let folder = ''
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'sluice-file-pipeline-')), 'out')
  })
  afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

  const COUNT = 20_000
  const ALL = Array.from({ length: COUNT }, (_, id) => id)
  const run = async (source: Source<number>, into: (folder: string) => Sink<Row>) => {
    const job = pipeline<Record<never, never>, number, Row>('numbers', {
      from: () => source,
      flow: (numbers) => numbers.map((id) => ({ id })),
      into: () => into(folder),
    })
    const started = await startPipeline(job, { epochEvents: 1000 })
    return await started.done
  }
  const intoFiles = (place: string) => ndjsonSink<Row>(place, { partitionBy: ({ id }) => `${id % 3}` })

  it('writes every event once, and the next run none again', async () => {
    const report = await run(valuesSource(ALL), intoFiles)
    equal(report.overall.loaded, COUNT)
    deepEqual(idsIn(folder), ALL)
    const parts = listedIn(folder).length
    await run(valuesSource(ALL), intoFiles)
    equal(listedIn(folder).length, parts)
    deepEqual([idsIn(folder).length, unfinishedIn(folder)], [COUNT, []])
  })

  it('goes on behind the last commit after its source has failed, again and again', async () => {
    for (const failAt of [1, 2500, 2501, 9999, 19_999]) {
      const failing = valuesSource(async function* () {
        for (const id of ALL) {
          if (id === failAt) throw new Error('the source broke')
          yield id
        }
      })
      await rejects(run(failing, intoFiles), /the source broke/)
    }
    await run(valuesSource(ALL), intoFiles)
    deepEqual([idsIn(folder), unfinishedIn(folder)], [ALL, []])
  })

  it('keeps refused rows in the store, and the books straight', async () => {
    const source = valuesSource([1, Number.NaN, 3])
    const report = await run(source, intoFiles)
    deepEqual([report.overall.read, report.overall.loaded, report.overall.dead], [3, 2, 1])
    const database = new DatabaseSync(join(folder, '.sluice.db'))
    const letters = database.prepare('select file, "offset", step, reason from dead_letters').all()
    database.close()
    deepEqual(
      letters.map((letter) => Object.values(letter)),
      [['values', 1, 'ndjson-files', 'JSON has no form for NaN']],
    )
  })

  it('may end in a function', async () => {
    const seen: number[] = []
    const sink = callbackSink<Row>('keep', (rows) => void seen.push(...rows.map(({ id }) => id)))
    await run(valuesSource(ALL), () => checkpointed(sink, { store: join(folder, '..', 'state.db') }))
    deepEqual(seen, ALL)
  })
})

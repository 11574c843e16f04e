import { deepEqual, ok, rejects } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isSluiceError, type RunReport, type StartOptions, startPipeline } from 'sluice'
import { rowsIn } from '../src/testing/rows-in.ts'
import job from './jobs/windows.ts'
import { randomOf, SEED } from './support/seed.ts'

const JOB = new URL('./jobs/windows.ts', import.meta.url)
const RECORDS = 60_000

describe(`a pipeline that remembers, stopped and gone on with (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-rescale-'))
  const input = join(folder, 'in.ndjson')
  let undisturbed: unknown[] = []
  after(() => rmSync(folder, { recursive: true, force: true }))

  const start = async (db: string, options: StartOptions, from = input) => {
    const params = new Map(Object.entries({ input: from, db }))
    return await startPipeline(options.threads === undefined ? job : JOB, { params, ...options })
  }

  const rowsOf = (db: string): unknown[] => {
    deepEqual(rowsIn(db, 'select count(*) as n from dead_letters'), [{ n: 0 }])
    return rowsIn(db, 'select * from minutes order by sensor, start').map((row) => Object.values(row))
  }

  before(async () => {
    const random = randomOf('rescale')
    const lines = Array.from({ length: RECORDS }, (_, i) => {
      const at = 1_700_000_000_000 + i * 50 + Math.floor(random() * 1000)
      return JSON.stringify({ sensor: `s${Math.floor(random() * 40)}`, at, celsius: Math.floor(random() * 100) })
    })
    writeFileSync(input, `${lines.join('\n')}\n`)
    const db = join(folder, 'undisturbed.db')
    await (await start(db, {})).done
    undisturbed = rowsOf(db)
    ok(undisturbed.length > 500)
  })

  it('C3, C4: gives on two threads what it gives in one', async () => {
    const db = join(folder, 'threads.db')
    const { run } = await (await start(db, { threads: 2 })).done
    deepEqual([run.read, run.absorbed > 0], [RECORDS, true])
    deepEqual(rowsOf(db), undisturbed)
  })

  it('C21, C23: goes on with another number of threads, and with none', async () => {
    const db = join(folder, 'rescaled.db')
    const threads = [undefined, 2, 3, undefined, 1, 2]
    let drains = 0
    let report: RunReport | undefined
    for (let turn = 0; report?.outcome !== 'finished'; turn += 1) {
      const of = threads[turn % threads.length]
      const options = { epochEvents: 300, ...(of === undefined ? {} : { threads: of }) }
      const stop = Promise.withResolvers<void>()
      const run = await start(db, {
        ...options,
        onEvent: ({ kind }) => {
          if (kind === 'committed') stop.resolve()
        },
      })
      await Promise.race([stop.promise, run.done])
      report = turn < 6 ? await run.drain('enough for now') : await run.done
      if (report.outcome === 'drained') drains += 1
    }
    ok(drains >= 3, `${drains} runs were stopped half-way`)
    deepEqual(rowsOf(db), undisturbed)
  })

  it('C22: gives nothing again if nothing came, and the whole of a window to which more came', async () => {
    const db = join(folder, 'more.db')
    const growing = join(folder, 'growing.ndjson')
    const lines = readFileSync(input, 'utf8').split('\n')
    writeFileSync(growing, `${lines.slice(0, 20_000).join('\n')}\n`)
    const first = await (await start(db, {}, growing)).done
    const again = await (await start(db, { threads: 2 }, growing)).done
    deepEqual([first.run.read, again.run.read, again.run.loaded], [20_000, 0, 0])
    appendFileSync(growing, lines.slice(20_000).join('\n'))
    const last = await (await start(db, {}, growing)).done
    deepEqual(last.overall.read, RECORDS)
    deepEqual(rowsOf(db), undisturbed)
  })

  it('C12: is not gone on with once the flow remembers other things', async () => {
    const db = join(folder, 'changed.db')
    await (await start(db, {})).done
    const other = { ...job, build: (values: never) => ({ ...job.build(values), node: hourly(values) }) }
    const params = new Map(Object.entries({ input, db }))
    await rejects(
      async () => (await startPipeline(other as never, { params })).done,
      (error) => {
        ok(isSluiceError(error, 'CHECKPOINT_INVALID'), String(error))
        ok(/the flow has changed: .*tumbling\(60000 ms.*now .*tumbling\(3600000 ms/.test(error.message), error.message)
        ok(/to start over/.test(error.message))
        return true
      },
    )
  })
})

/** The same flow with windows of an hour. */
function hourly(values: never): unknown {
  const text = job.build(values).node
  const seen = new Map<unknown, unknown>()
  const copy = (node: { operator: Record<string, unknown>; inputs: readonly never[] }): unknown => {
    const known = seen.get(node)
    if (known !== undefined) return known
    const { operator, inputs } = node
    const window = operator.window as Record<string, unknown> | undefined
    const made = {
      operator: window === undefined ? operator : { ...operator, window: { ...window, sizeMs: 3_600_000 } },
      inputs: inputs.map(copy),
    }
    seen.set(node, made)
    return made
  }
  return copy(text as never)
}

import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startPipeline } from 'sluice'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { sluice } from './support/cli.ts'
import { ROOT } from './support/project.ts'
import { readOnDemand } from './support/read-on-demand.ts'

const JOB = join(ROOT, 'test', 'jobs', 'acknowledged.ts')
const COUNT = 2000

describe('a sender that waits for acknowledgements', () => {
  const folder = tempFolder('sluice-acknowledged-')
  let loads = 0
  const newLoad = (params: Record<string, string> = {}) => {
    loads += 1
    const [out, said] = [join(folder, `${loads}.db`), join(folder, `${loads}.said`)]
    return { out, said, params: { out, said, count: `${COUNT}`, ...params } }
  }
  const numbersIn = (out: string) => rowsIn(out, 'select n from numbers order by rowid').map(({ n }) => Number(n))
  const linesOf = (said: string) => readFileSync(said, 'utf8').split('\n').slice(0, -1)
  const all = Array.from({ length: COUNT }, (_, at) => at + 1)

  for (const threads of [undefined, 2]) {
    const where = threads === undefined ? 'in this thread' : `on ${threads} threads`

    it(`C50, C51: hears of all that is committed, in its order, before the reader is closed, ${where}`, async () => {
      const { out, said, params } = newLoad()
      const run = await startPipeline(pathToFileURL(JOB), {
        params: new Map(Object.entries(params)),
        epochMs: 5,
        ...(threads === undefined ? {} : { threads }),
      })
      await run.done
      deepEqual(numbersIn(out), all)
      deepEqual(linesOf(said), [...all.map(String), 'closed'])
    })

    it(`C51: hears of what a run committed that was stopped, ${where}`, async () => {
      const { out, said, params } = newLoad({ count: '1000000' })
      let commits = 0
      const run = await startPipeline(pathToFileURL(JOB), {
        params: new Map(Object.entries(params)),
        epochMs: 5,
        ...(threads === undefined ? {} : { threads }),
        onEvent: ({ kind }) => {
          commits += kind === 'committed' ? 1 : 0
          if (commits === 5) void run.drain('enough')
        },
      })
      const { outcome } = await run.done
      equal(outcome, 'drained')
      deepEqual(linesOf(said), [...numbersIn(out).map(String), 'closed'])
    })
  }

  it('C50, C52: hears of nothing that is not committed by a run that is killed, and of the rest by the next one', async () => {
    const { out, said, params } = newLoad({ failAt: '1234' })
    const args = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`])
    const killed = await sluice(['run', JOB, '--quiet', '--epoch-ms', '5', ...args])
    equal(killed.signal, 'SIGKILL')
    const committed = numbersIn(out)
    const before = linesOf(said).map(Number)
    ok(before.length > 0 && before.length < 1234)
    deepEqual(before, committed.slice(0, before.length))
    const rest = args.map((arg) => arg.replace('failAt=1234', 'failAt=0'))
    const { code, stderr } = await sluice(['run', JOB, '--quiet', '--epoch-ms', '5', ...rest])
    equal(code, 0, stderr)
    deepEqual(numbersIn(out), all)
    // What is sent again is acknowledged again at once.
    deepEqual(linesOf(said).slice(before.length), [...all.map(String), 'closed'])
  })
})

describe('a message that was read and has not gone on when its epoch ends', () => {
  it('C50: is not acknowledged with it', async () => {
    const stuck = Promise.withResolvers<void>()
    const source = readOnDemand({
      needsAck: true,
      check: (value) => (value === 2 ? stuck.promise : Promise.resolve()),
    })
    const run = await startPipeline(source.pipeline, { epochMs: 20 })
    source.give(1)
    await source.given(1)
    source.give(1)
    await source.committed(1)
    await source.settled()
    deepEqual(source.acknowledged, [1])
    stuck.resolve()
    await run.drain('the test is over')
    deepEqual(
      [source.rows, source.acknowledged],
      [
        [1, 2],
        [1, 2],
      ],
    )
  })
})

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type PipelineRun, type RunEvent, type RunSnapshot, startPipeline } from 'sluice'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { readOnDemand } from './support/read-on-demand.ts'

const LOAD = new URL('./jobs/load.ts', import.meta.url)
const folder = tempFolder('sluice-snapshot-')

let runs = 0

/** Loads lines, of which each fifth is bad. */
async function load(lines: number, threads?: number): Promise<RunSnapshot> {
  runs += 1
  const input = join(folder, `${runs}.log`)
  writeFileSync(input, Array.from({ length: lines }, (_, at) => `${at % 5 === 0 ? 'bad' : 'good'} ${at}\n`).join(''))
  const { default: job } = await import('./jobs/load.ts')
  const params = new Map([
    ['input', input],
    ['out', join(folder, `${runs}.db`)],
  ])
  const run = await startPipeline(threads === undefined ? job : LOAD, {
    params,
    ...(threads === undefined ? {} : { threads }),
  })
  await run.done
  return run.snapshot()
}

describe('the snapshot of a run', () => {
  it('has what came into each stage and what went out, the load as the last layer', async () => {
    const { layers } = await load(1000)
    deepEqual(
      layers.map(({ number, kind, inputs, dead }) => ({ number, kind, inputs, dead })),
      [
        { number: 1, kind: 'source', inputs: [], dead: 200 },
        { number: 2, kind: 'load', inputs: [{ from: 1, exchange: 'forward' }], dead: 0 },
      ],
    )
    const [source, sink] = layers.map(({ stages }) => stages[0])
    deepEqual([source?.received, source?.emitted], [1000, 800])
    deepEqual([sink?.received, sink?.emitted], [800, 800])
    match(layers[0]?.title ?? '', /\.log as lines, map row$/)
  })

  it('says what was committed, and that the run has finished', async () => {
    const { run, overall, read, state, epoch, restarts, notices, threads, committedMs, commitTookMs } = await load(10)
    deepEqual([run.read, run.loaded, run.dead, overall.loaded, read], [10, 8, 2, 8, 10])
    deepEqual([state, epoch, restarts, threads], ['finished', 1, 0, 0])
    ok(Math.abs((committedMs ?? 0) - Date.now()) < 60_000)
    ok((commitTookMs ?? -1) >= 0)
    deepEqual(
      notices.map(({ kind }) => kind),
      ['started', 'ended'],
    )
  })

  it('has the same figures of stages on worker threads', async () => {
    const { layers, threads } = await load(1000, 2)
    equal(threads, 2)
    const [source, sink] = layers
    equal(source?.stages.length, 2)
    equal(
      source?.stages.reduce((sum, { received }) => sum + received, 0),
      1000,
    )
    equal(
      source?.stages.reduce((sum, { emitted }) => sum + emitted, 0),
      800,
    )
    deepEqual([source?.dead, sink?.stages[0]?.emitted], [200, 800])
    ok((source?.stages.reduce((sum, { busyMs }) => sum + busyMs, 0) ?? 0) > 0)
  })

  it('is plain data: JSON gives it back', async () => {
    const snapshot = await load(5)
    deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot)
  })

  it('says why a run failed, without credentials', async () => {
    const source = readOnDemand({ fails: new Error('cannot reach amqp://ann:secret@host/x') })
    const run = await startPipeline(source.pipeline)
    await run.done.catch(() => {})
    const { state, error, notices } = run.snapshot()
    deepEqual([state, error], ['failed', 'cannot reach amqp://***@host/x'])
    equal(notices.at(-1)?.kind, 'failed')
  })

  it('counts restarts, and says that it waits', async () => {
    const source = readOnDemand({ losesSink: 1 })
    const states: string[] = []
    const run: PipelineRun = await startPipeline(source.pipeline, {
      epochMs: 1,
      onEvent: (event: RunEvent) => {
        if (event.kind === 'retrying') states.push(run.snapshot().state)
      },
    })
    source.give(3)
    await source.committed(3)
    deepEqual([states, run.snapshot().restarts], [['waiting'], 1])
    await run.drain('the test is over')
  })
})

describe('a run that is paused', () => {
  it('reads nothing more, and commits what was read', async () => {
    const source = readOnDemand()
    const run = await startPipeline(source.pipeline, { epochMs: 60_000 })
    source.give(3)
    await source.given(3)
    run.pause()
    await source.committed(3)
    equal(run.snapshot().state, 'paused')
    source.give(2)
    await source.settled()
    deepEqual([source.rows.length, run.progress().read], [3, 3])
    run.resume()
    await source.given(5)
    await run.drain('the test is over')
    deepEqual(source.rows, [1, 2, 3, 4, 5])
  })

  it('can be drained', async () => {
    const source = readOnDemand()
    const run = await startPipeline(source.pipeline, { epochMs: 60_000 })
    source.give(3)
    await source.given(3)
    run.pause()
    const { outcome } = await run.drain('the test is over')
    deepEqual([outcome, source.rows, run.snapshot().state], ['drained', [1, 2, 3], 'drained'])
  })

  it('reads nothing more on worker threads, either', async () => {
    const input = join(folder, 'growing.log')
    writeFileSync(input, 'one\n')
    const params = new Map(Object.entries({ input, as: 'tail', out: join(folder, 'growing.db') }))
    const commits = new EventEmitter()
    const run = await startPipeline(LOAD, {
      params,
      threads: 2,
      epochMs: 10,
      onEvent: ({ kind }) => commits.emit(kind),
    })
    while (run.progress().committed.loaded < 1) await once(commits, 'committed')
    run.pause()
    appendFileSync(input, 'two\n')
    // Ten looks at the file: what does not happen can only be waited for.
    await new Promise((resolve) => setTimeout(resolve, 100))
    deepEqual([run.snapshot().state, run.progress().committed.loaded], ['paused', 1])
    run.resume()
    while (run.progress().committed.loaded < 2) await once(commits, 'committed')
    await run.drain('the test is over')
  })

  it('stays paused over a restart', async () => {
    const source = readOnDemand({ losesSink: 1 })
    const run = await startPipeline(source.pipeline, { epochMs: 60_000, epochEvents: 3 })
    run.pause()
    source.give(2)
    await source.settled()
    equal(run.progress().read, 0)
    run.resume()
    await source.given(2)
    const retried = source.lost()
    run.pause()
    await retried
    await source.opened(2)
    await source.settled()
    equal(run.progress().read, 0)
    equal(run.snapshot().state, 'paused')
    run.resume()
    await source.given(2)
    await run.drain('the test is over')
    deepEqual(source.rows, [1, 2])
  })

  it('tells of it, and keeps it among what happened', async () => {
    const source = readOnDemand()
    const told: string[] = []
    const run = await startPipeline(source.pipeline, { onEvent: ({ kind }) => told.push(kind) })
    run.pause()
    run.pause()
    run.resume()
    run.resume()
    await run.drain('the test is over')
    run.pause()
    deepEqual(
      told.filter((kind) => kind === 'paused' || kind === 'resumed'),
      ['paused', 'resumed'],
    )
    deepEqual(
      run.snapshot().notices.map(({ kind }) => kind),
      ['started', 'paused', 'resumed', 'draining', 'ended'],
    )
  })
})

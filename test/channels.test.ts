import { deepEqual, equal } from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type RunMessages, startPipeline } from 'sluice'
import { tempFolder } from '../src/testing/temp-folder.ts'
import load from './jobs/load.ts'
import { readOnDemand } from './support/read-on-demand.ts'

const NAMES = ['start', 'commit', 'reject', 'retry', 'end'].map((name) => `sluice:run:${name}` as keyof RunMessages)

describe('the channels of runs', () => {
  const folder = tempFolder('sluice-channels-')
  let heard: { readonly name: string; readonly message: Record<string, unknown> }[] = []
  const listener = (message: unknown, name: string | symbol): void => {
    heard.push({ name: String(name), message: message as Record<string, unknown> })
  }
  beforeEach(() => {
    heard = []
    for (const name of NAMES) subscribe(name, listener)
  })
  afterEach(() => {
    for (const name of NAMES) unsubscribe(name, listener)
  })

  it('tell of the start, of what is refused, of each commit, and of the end', async () => {
    const input = join(folder, 'in.log')
    writeFileSync(input, 'good\nbad\n')
    const out = join(folder, 'out.db')
    const run = await startPipeline(load, { params: new Map(Object.entries({ input, out })) })
    const report = await run.done
    deepEqual(
      heard.map(({ name }) => name.slice('sluice:run:'.length)),
      ['start', 'reject', 'commit', 'end'],
    )
    const [start, reject, commit, end] = heard.map(({ message }) => message)
    equal(start?.pipeline, 'load')
    equal(start?.resumedEpoch, undefined)
    equal((reject as RunMessages['sluice:run:reject']).letter.origin.line, 2)
    deepEqual([commit?.epoch, (commit as RunMessages['sluice:run:commit']).totals.loaded], [1, 1])
    deepEqual(end, { pipeline: 'load', outcome: 'finished', report })
  })

  it('tell of what was lost for a while', async () => {
    const source = readOnDemand({ losesSink: 1 })
    const run = await startPipeline(source.pipeline, { epochMs: 1 })
    source.give(1)
    await source.committed(1)
    await run.drain('the test is over')
    const retry = heard.find(({ name }) => name === 'sluice:run:retry')?.message as RunMessages['sluice:run:retry']
    deepEqual([retry.pipeline, retry.attempt, retry.error instanceof Error], ['numbers', 1, true])
  })

  it('tell of the end that is a failure', async () => {
    const source = readOnDemand({ losesSink: 1 })
    const run = await startPipeline(source.pipeline, { retryMs: 0, epochMs: 1 })
    source.give(1)
    await run.done.catch(() => {})
    const { message, name } = heard.at(-1) ?? {}
    deepEqual([name, message?.outcome, message?.pipeline], ['sluice:run:end', 'failed', 'numbers'])
  })
})

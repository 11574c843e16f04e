// A worker, as an engine may use it: in pieces, early, late, and several bundles at once.

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { layOutFor, sha256Of } from '../src/beam/plan/laid-out.ts'
import { crossingOutput, SPLITS } from '../src/beam/plan/open-groups.ts'
import { type SentJob, taskBytes } from '../src/beam/plan/task.ts'
import { loadMessages } from '../src/beam/wire/messages.ts'
import { Inlet } from '../src/beam/worker/inlet.ts'
import { PIPELINE_LAYOUT } from '../src/pipeline/load.ts'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { until } from '../src/testing/until.ts'
import { bytesOf, FakeRunner, GROUP, IMPULSE } from './support/fake-runner.ts'
import { ROOT } from './support/project.ts'

const messages = await loadMessages()
const module = pathToFileURL(join(ROOT, 'test', 'engine', 'jobs', 'throws.ts')).href
const job: SentJob = await sentJob({ at: 'nowhere', db: 'never-written.db' })

/** Where the stage that reads sends its sums. */
const OUT = await outputOf(job)

describe('a worker', () => {
  const runner = new FakeRunner(messages)
  let bundles = 0
  const next = (): string => `bundle ${++bundles}`
  /** A group of splits, as the engine hands it to the task that reads. */
  const splits = (count: number): Buffer => {
    const listed = Buffer.from(JSON.stringify({ layer: 1, split: { id: 'values' } }))
    return bytesOf(
      GROUP,
      Array.from({ length: count }, (_, at) => [BigInt(at), [listed]]),
    )
  }
  /** The keys of the sums that a bundle sent on. */
  const sent = (bundle: string): unknown[] =>
    runner
      .valuesOn(bundle, OUT)
      .flatMap((pair) => new Inlet().read((pair as [bigint, Buffer])[1]).batches)
      .flatMap((batch) => batch.values().map((part) => (part as [number])[0]))
      .sort()

  before(async () => {
    await runner.start(ROOT)
    runner.define('list', taskBytes({ does: 'list', job, stage: 1 }), 'bytes', [SPLITS])
    runner.define('read', taskBytes({ does: 'read', job, stage: 1 }), 'group', [OUT])
  })
  after(async () => await runner[Symbol.asyncDispose]())

  it('lists splits, and ends each of its outputs by itself', async () => {
    const id = next()
    await runner.instruct(id, 'list')
    await runner.send(id, bytesOf(IMPULSE, [Buffer.alloc(0)]), true)
    const { error } = await runner.answer(id)
    equal(error, '')
    await until(() => runner.ended.includes(`${id} sink ${SPLITS}`), 'the end of the output')
    const [pair] = runner.valuesOn(id, SPLITS) as [bigint, Buffer][]
    deepEqual(JSON.parse(String(pair?.[1])), { layer: 1, split: { id: 'values' } })
  })

  it('takes elements in whatever pieces, and ends that come alone', async () => {
    const bytes = splits(2)
    for (const size of [1, 7, bytes.length]) {
      const id = next()
      await runner.instruct(id, 'read')
      for (let at = 0; at < bytes.length; at += size) await runner.send(id, bytes.subarray(at, at + size), false)
      await runner.send(id, Buffer.alloc(0), true)
      equal((await runner.answer(id)).error, '')
      await until(() => runner.ended.includes(`${id} sink ${OUT}`), 'the end of the output')
      deepEqual(sent(id), [1, 1, 2, 2, 3, 3, 4, 4])
    }
  })

  it('ends a place once where several of its outputs go to it', async () => {
    runner.define('joined', taskBytes({ does: 'read', job, stage: 1 }), 'group', [OUT, 'another'], true)
    const id = next()
    await runner.instruct(id, 'joined')
    await runner.send(id, splits(1), true)
    equal((await runner.answer(id)).error, '')
    const other = next()
    await runner.instruct(other, 'read')
    await runner.send(other, splits(1), true)
    await until(() => runner.ended.includes(`${other} sink ${OUT}`), 'the end of a later bundle')
    deepEqual(
      runner.ended.filter((end) => end.startsWith(`${id} `)),
      [`${id} sink joined`],
    )
  })

  it('keeps data that comes before its instruction', async () => {
    const id = next()
    await runner.send(id, splits(1), false)
    await runner.send(id, Buffer.alloc(0), true)
    await runner.instruct(id, 'read')
    equal((await runner.answer(id)).error, '')
    await until(() => runner.ended.includes(`${id} sink ${OUT}`), 'the end of the output')
    deepEqual(sent(id), [1, 2, 3, 4])
  })

  it('works on several bundles at once, whose data comes in turns', async () => {
    const ids = Array.from({ length: 5 }, next)
    const bytes = splits(3)
    for (const id of ids) await runner.instruct(id, 'read')
    const half = bytes.length >> 1
    for (const id of ids) await runner.send(id, bytes.subarray(0, half), false)
    for (const id of ids.toReversed()) await runner.send(id, bytes.subarray(half), true)
    for (const id of ids) {
      equal((await runner.answer(id)).error, '')
      await until(() => runner.ended.includes(`${id} sink ${OUT}`), 'the end of the output')
      equal(sent(id).length, 12)
    }
  })

  it('fails with a bundle that ends within an element, sends nothing of it, and takes the next', async () => {
    const id = next()
    await runner.instruct(id, 'read')
    await runner.send(id, splits(1).subarray(0, -1), true)
    match((await runner.answer(id)).error, /elements to their end/)
    // Late data of what has failed is dropped.
    await runner.send(id, splits(1), true)
    const other = next()
    await runner.instruct(other, 'read')
    await runner.send(other, splits(1), true)
    equal((await runner.answer(other)).error, '')
    ok(!runner.ended.includes(`${id} sink ${OUT}`))
    equal(runner.came.get(id), undefined)
  })

  it('writes nothing without the lease of the run', async () => {
    const db = join(tempFolder('sluice-lease-'), 'out.db')
    const fenced = await sentJob({ at: 'map', db })
    runner.define('fenced', taskBytes({ does: 'read', job: fenced, stage: 1 }), 'group', [OUT])
    const id = next()
    await runner.instruct(id, 'fenced')
    await runner.send(id, splits(1), true)
    // The third event is a dead letter.
    match((await runner.answer(id)).error, /Cannot write to throws: .* held by nobody/)
    deepEqual(rowsIn(db, "select name from sqlite_schema where name = 'dead_letters'"), [])
  })

  it('answers what it has nothing to say to, and names what it does not know', async () => {
    for (const kind of ['processBundleSplit', 'finalizeBundle', 'harnessMonitoringInfos'] as const) {
      equal((await runner.ask(next(), { case: kind, value: {} })).error, '')
    }
    match((await runner.ask(next(), { case: undefined })).error, /does not know/)
  })
})

async function outputOf({ params }: SentJob): Promise<string> {
  const given = { module, name: 'default', params: new Map(Object.entries(params)), laidOutBy: PIPELINE_LAYOUT }
  const [crossing] = (await layOutFor(given, 8)).stages[0]?.outputs ?? []
  return crossing === undefined ? '' : crossingOutput(crossing)
}

async function sentJob(params: Readonly<Record<string, string>>): Promise<SentJob> {
  const given = { module, name: 'default', params: new Map(Object.entries(params)), laidOutBy: PIPELINE_LAYOUT }
  const { fingerprint } = await layOutFor(given, 8)
  const moduleSha256 = await sha256Of(module)
  return { module, name: 'default', params, moduleSha256, fingerprint, shards: 8, owner: 'nobody' }
}

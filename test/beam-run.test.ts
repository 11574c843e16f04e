// What a run on an engine refuses before there is an engine, and where there is not the right one.

import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isSluiceError } from '../src/base/errors.ts'
import { beam, run } from '../src/beam/index.ts'
import { GrpcServer } from '../src/beam/wire/server.ts'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { freePort } from './support/brokers.ts'
import { sluice } from './support/cli.ts'
import { ROOT } from './support/project.ts'

const THROWS = new URL('./engine/jobs/throws.ts', import.meta.url)
const REFUSED = new URL('./engine/jobs/refused.ts', import.meta.url)

describe('a run on an engine', () => {
  const folder = tempFolder('sluice-engine-')
  const params = new Map([['db', join(folder, 'out.db')]])

  it('tells all that is refused at once, with the way out of each', async () => {
    const error: unknown = await run(REFUSED, { on: beam('127.0.0.1:1') }).catch((thrown) => thrown)
    equal(isSluiceError(error, 'NOT_PORTABLE'), true)
    const { message, details } = error as Error & { readonly details: { readonly reasons: readonly string[] } }
    equal(details.reasons.length, 4)
    for (const reason of [
      /a tick every .* does not end.*: run it with --threads/,
      /mapAsync .* has a rate .*: limit its concurrency instead/,
      /windows of so many events.*: use windows of event time/,
      /has one writer: write to a table of SQLite or PostgreSQL/,
    ]) {
      match(message, reason)
    }
  })

  it('says so where nobody listens, where something else does, or another service of gRPC', async () => {
    const web = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
    await once(web, 'listening')
    await using other = await GrpcServer.listen({}, { host: '127.0.0.1', port: 0 })
    const closed = await freePort()
    for (const [port, why] of [
      [closed, /ECONNREFUSED/],
      [(web.address() as AddressInfo).port, /Cannot submit to/],
      [other.port, /has no jobs of Beam; give the job endpoint of a Beam portable runner/],
    ] as const) {
      await rejects(run(THROWS, { on: beam(`127.0.0.1:${port}`), params }), {
        code: 'ENGINE_UNREACHABLE',
        message: why,
      })
    }
    web.close()
    // Its lease is released: the next run need not wait.
    deepEqual(rowsIn(join(folder, 'out.db'), 'select pid from sluice_leases'), [{ pid: 0 }])
  })

  it('sends no secrets', async () => {
    const job = join(folder, 'secret.ts')
    const source = new URL('../src/index.ts', import.meta.url).href
    writeFileSync(
      job,
      `import { param, pipeline, sqliteSink, valuesSource } from ${JSON.stringify(source)}
export default pipeline('secret', {
  params: { token: param.secret('') },
  from: () => valuesSource([1]),
  into: () => sqliteSink('never.db', { table: 't' }),
})
`,
    )
    const given = { on: beam('127.0.0.1:1'), params: new Map([['token', 'hunter2']]) }
    await rejects(run(job, given), (error: Error) => {
      match(error.message, /Cannot send parameter token of secret to workers: .* read it from the environment/)
      equal(error.message.includes('hunter2'), false)
      return true
    })
  })

  it('is explained and checked without an engine', async () => {
    const told = await sluice(['explain', THROWS.pathname, '--on'])
    match(
      told.stdout,
      /stage 2, 1,024 shards: aggregate \(merging\) sums\n {2}takes from stage 1: batches for 1,024 shards, equal keys meet, by n\n/,
    )
    match((await sluice(['explain', REFUSED.pathname, '--on'])).stdout, /cannot run on an engine: a tick every 1000 ms/)
    const flows = join(ROOT, 'examples', 'word-count.ts')
    for (const argv of [
      ['explain', flows, '--on'],
      ['run', flows, '--on', '127.0.0.1:1'],
    ]) {
      const { code, stderr } = await sluice(argv)
      equal(code, 64)
      match(stderr, /exports a flow, whose results no engine can bring to this process/)
    }
    const { code, stderr } = await sluice(['check', REFUSED.pathname, '--on'])
    equal(code, 78)
    match(stderr, /Cannot run refused on an engine: .*; and .*; and /)
  })

  it('ends a command with the exit code of what stands against it', async () => {
    const file = THROWS.pathname
    const db = `db=${join(folder, 'cli.db')}`
    const gone = await sluice(['run', file, '--on', `127.0.0.1:${await freePort()}`, '-p', db])
    equal(gone.code, 69)
    match(gone.stderr, /sluice: Cannot submit to 127.0.0.1:\d+: .*ECONNREFUSED/)
    const refused = await sluice(['run', REFUSED.pathname, '--on', '127.0.0.1:1'])
    equal(refused.code, 78)
    match(refused.stderr, /sluice: Cannot run refused on an engine/)
  })
})

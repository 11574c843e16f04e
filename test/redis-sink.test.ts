import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { createClient } from 'redis'
import { checkpointed, startPipeline } from 'sluice'
import { redisStreamSink } from 'sluice/redis'
import { twoPhaseSinkConformance } from 'sluice/testing'
import { batchOfTracked } from '../src/connect/batch.ts'
import { deadLetter, tracked } from '../src/connect/origin.ts'
import type { TwoPhaseWriter } from '../src/connect/sink.ts'
import job from './jobs/redis-sink.ts'
import { freePort, programOf, ServerProcess, startRedis, without } from './support/brokers.ts'
import { sluice } from './support/cli.ts'
import { upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { abortsWhile, type Row } from './support/publishing.ts'
import { randomOf, SEED } from './support/seed.ts'
import { until } from './support/until.ts'

const SKIP = without('redis-server')
const folder = mkdtempSync(join(tmpdir(), 'sluice-redis-add-'))
let server: ServerProcess
let url = ''
let client: ReturnType<typeof createClient>
before(async () => {
  if (SKIP !== false) return
  server = await startRedis()
  url = `redis://127.0.0.1:${server.port}`
  client = createClient({ url })
  client.on('error', () => {}) // The server is killed by a test.
  await client.connect()
})
after(async () => {
  client?.destroy()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const entries = async (stream: string) =>
  ((await client.xRange(stream, '-', '+')) ?? []).map(({ message }) => ({ ...message }))

let places = 0
if (SKIP === false) {
  twoPhaseSinkConformance<{ id: number }>({
    name: 'a Redis stream',
    make: async () => {
      places += 1
      const stream = `rows-${places}`
      return {
        sink: redisStreamSink<{ id: number }>(url, {
          stream,
          fields: ({ id }) => {
            if (id < 0) throw new RangeError('below 0')
            return { id: String(id) }
          },
        }),
        visible: async () => (await entries(stream)).map(({ id }) => Number(id)),
      }
    },
    row: (id) => ({ id }),
    refused: { id: -1 },
    scripts: 20,
  })
}

describe(`redisStreamSink (REPRO: SEED=${SEED} npm test)`, { skip: SKIP }, () => {
  beforeEach(async () => void (await client.flushAll()))

  const open = (epoch: number, note?: unknown, more: object = {}) =>
    redisStreamSink<unknown>(url, { stream: 'rows', ...more }).open({
      pipeline: 'test',
      epoch,
      note: note as never,
    })
  const event = (value: unknown, offset = 0) => tracked(value, { source: 'test', line: 1, offset, raw: 'raw' })
  const epochOf = async (writer: TwoPhaseWriter<unknown>, epoch: number, ...rows: unknown[]) => {
    await writer.write(batchOfTracked(rows.map((row, at) => event(row, at))))
    return await writer.prepare(epoch)
  }

  it('adds rows as JSON, or by the fields that it is told, in their order', async () => {
    const writer = await open(0)
    await writer.publish(await epochOf(writer, 1, { a: 1 }, { a: 2 }))
    deepEqual(await entries('rows'), [{ data: '{"a":1}' }, { data: '{"a":2}' }])
    await writer.close()
    const other = await open(0, undefined, { stream: 'others', fields: () => ({ x: 'ü', y: '' }) })
    await other.publish(await epochOf(other, 1, 7))
    deepEqual(await entries('others'), [{ x: 'ü', y: '' }])
    await other.close()
  })

  it('shows nothing of an epoch before it is finished, and leaves nothing behind then', async () => {
    const writer = await open(0)
    const note = await epochOf(writer, 1, ...upTo(2000))
    equal(await client.xLen('rows'), 0)
    await writer.publish(note)
    equal(await client.xLen('rows'), 2000)
    await writer.publish(note)
    equal(await client.xLen('rows'), 2000)
    await writer.close()
    deepEqual((await client.keys('*')).sort(), ['rows', '{rows}:sluice:test:shown'])
  })

  it('forgets what a run that died has staged, and shows what it has committed', async () => {
    const dead = await open(0)
    await dead.publish(await epochOf(dead, 1, 'a'))
    const note = await epochOf(dead, 2, 'b')
    await dead.write(batchOfTracked([event('c')]))
    await dead.close()
    const successor = await open(2, note)
    await successor.publish(note)
    deepEqual(await entries('rows'), [{ data: '"a"' }, { data: '"b"' }])
    await successor.close()
    deepEqual((await client.keys('*')).sort(), ['rows', '{rows}:sluice:test:shown'])
  })

  it('takes a checkpoint that was reset for a new beginning', async () => {
    const first = await open(0)
    for (const epoch of [1, 2, 3]) await first.publish(await epochOf(first, epoch, epoch))
    await first.close()
    const second = await open(0)
    await second.publish(await epochOf(second, 1, 'again'))
    deepEqual((await entries('rows')).at(-1), { data: '"again"' })
    await second.close()
  })

  it('loses no rows where another store adds as a pipeline of the same name', async () => {
    const [ahead, behind] = [await open(10), await open(0)]
    await ahead.publish(await epochOf(ahead, 11, 'a'))
    await behind.publish(await epochOf(behind, 1, 'b'))
    deepEqual(await entries('rows'), [{ data: '"a"' }, { data: '"b"' }])
    await ahead.close()
    await behind.close()
  })

  it('adds nothing more for one that was stopped while it finished, and wakes after others went on', async () => {
    const stopped = await open(0)
    const note = await epochOf(stopped, 1, 'a')
    const successor = await open(1, note)
    await successor.publish(note)
    await successor.publish(await epochOf(successor, 2, 'b'))
    await rejects(async () => await stopped.publish(note), { code: 'SINK_MISMATCH' })
    deepEqual(await entries('rows'), [{ data: '"a"' }, { data: '"b"' }])
    await successor.close()
    await stopped.close()
  })

  it('keeps all its names in one slot of a cluster', async () => {
    const bus = await freePort()
    const cluster = await ServerProcess.start(({ folder, port }) => {
      const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '']
      return [programOf('redis-server') ?? '', ...settings, '--cluster-enabled', 'yes', '--cluster-port', `${bus}`]
    })
    const here = createClient({ url: `redis://127.0.0.1:${cluster.port}` })
    try {
      await here.connect()
      await here.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
      const isUp = async () => String(await here.sendCommand(['CLUSTER', 'INFO'])).includes('cluster_state:ok')
      await until(isUp, 'the cluster')
      for (const stream of ['plain', 'of:{user}:1']) {
        const sink = redisStreamSink<unknown>(`redis://127.0.0.1:${cluster.port}`, { stream })
        const writer = await sink.open({ pipeline: 'test', epoch: 0, note: undefined })
        await writer.publish(await epochOf(writer, 1, 'a', 'b'))
        equal(await here.xLen(stream), 2)
        await writer.close()
      }
    } finally {
      here.destroy()
      await cluster.stop()
    }
  })

  it('gives up at once when it is aborted while Redis does not answer', async () => {
    await abortsWhile(server, redisStreamSink<Row>(url, { stream: 'rows' }))
  })

  it('keeps the stream about as long as it is told', async () => {
    const writer = await open(0, undefined, { maxLength: 100 })
    await writer.publish(await epochOf(writer, 1, ...upTo(5000)))
    ok((await client.xLen('rows')) < 300)
    await writer.close()
  })

  it('makes dead letters of rows that have no fields', async () => {
    const writer = await open(0, undefined, { fields: (row: unknown) => row as never })
    const rows = [{}, 7, { a: 1 }, { a: 'fine' }, Object.fromEntries(upTo(1001).map((n) => [n, '']))]
    const letters = await writer.write(batchOfTracked(rows.map((row, at) => event(row, at))))
    deepEqual(letters, [
      deadLetter(event(0, 0).origin, 'redis', 'an entry has at least one field'),
      deadLetter(event(0, 1).origin, 'redis', 'fields are texts by name: found 7'),
      deadLetter(event(0, 2).origin, 'redis', 'field "a" takes a text or texts: found 1'),
      deadLetter(event(0, 4).origin, 'redis', 'an entry has at most 1000 fields: found 1001'),
    ])
    await writer.close()
  })

  it('says so when Redis has lost what was staged', async () => {
    const writer = await open(0)
    const note = await epochOf(writer, 1, 'a', 'b')
    await client.flushAll()
    await rejects(async () => await writer.publish(note), {
      code: 'SINK_MISMATCH',
      message: /^Cannot publish epoch 1 in stream rows of redis:.*: 0 of the 2 rows that were staged/,
    })
    await writer.close()
  })

  it('refuses a key that holds no stream, and a server that is not there', async () => {
    await client.set('rows', 'text')
    const writer = await open(0)
    const note = await epochOf(writer, 1, 'a')
    await rejects(async () => await writer.publish(note), { code: 'SINK_MISMATCH' })
    await writer.close()
    const nobody = `redis://:hunter22@127.0.0.1:${await freePort()}`
    const opening = redisStreamSink(nobody, { stream: 'a' }).open({ pipeline: 'x', epoch: 0, note: undefined })
    await rejects(opening, (error: Error & { code?: string }) => {
      equal(error.code, 'SINK_LOST')
      match(error.message, /ECONNREFUSED/)
      ok(!error.message.includes('hunter22'))
      return true
    })
  })

  it('refuses options that do not fit', () => {
    throws(() => redisStreamSink('redis://x', { stream: '' }), { code: 'CONFIG_INVALID' })
    throws(() => redisStreamSink('mqtt://x', { stream: 'a' }), { code: 'CONFIG_INVALID' })
    throws(() => redisStreamSink('redis://x', { stream: 'a', maxLength: 0 }), RangeError)
    const sink = checkpointed(redisStreamSink('redis://x', { stream: 'a' }), { store: 'x.db' })
    deepEqual([sink.title, sink.guarantee], ['stream a of redis://x:6379', 'exactly-once'])
  })

  it('shows no password that Redis does not take, and does not try it again', async () => {
    const sink = redisStreamSink(url.replace('//', '//:hunter22@'), { stream: 'a' })
    const isRefused = (error: Error & { code?: string }) => {
      equal(error.code, 'SINK_UNREACHABLE')
      ok(!inspect(error, { depth: 5 }).includes('hunter22'))
      return true
    }
    await rejects(sink.open({ pipeline: 'x', epoch: 0, note: undefined }), isRefused)
    await client.configSet('requirepass', 'another')
    try {
      await rejects(sink.open({ pipeline: 'x', epoch: 0, note: undefined }), isRefused)
    } finally {
      await client.configSet('requirepass', '')
    }
  })

  const load = (name: string, count: number, more: readonly string[] = []): readonly string[] => {
    const [input, out] = [join(folder, `${name}.log`), join(folder, `${name}.db`)]
    writeFileSync(input, `${upTo(count).join('\n')}\n`)
    const given = ['--param', `input=${input}`, '--param', `url=${url}`, '--param', `out=${out}`]
    return ['run', join(ROOT, 'test', 'jobs', 'redis-sink.ts'), '--quiet', '--epoch-ms', '20', ...more, ...given]
  }
  const linesSeen = async () => (await entries('lines')).map(({ line }) => Number(line))

  it('F1: holds each line once, over kills of the load', async () => {
    const random = randomOf('redis-add')
    const argv = load('kills', 40_000)
    for (let turn = 0; ; turn += 1) {
      const { code, stderr } = await sluice(argv, {
        onStart: (child) => {
          if (turn < 6) setTimeout(() => child.kill('SIGKILL'), 400 + random() * 500)
        },
      })
      if (code === 0) break
      ok(turn < 6, stderr)
    }
    deepEqual(await linesSeen(), upTo(40_000))
  })

  it('F7: holds each line once when Redis is killed under the load, which goes on by itself', async () => {
    let before = 0
    const { code, stderr } = await sluice(load('restart', 40_000), {
      onStart: async () => {
        while (before === 0) before = await client.xLen('lines')
        await server.kill()
        await server.start()
      },
    })
    equal(code, 0, stderr)
    ok(before < 40_000, 'it was killed before all was there')
    deepEqual(await linesSeen(), upTo(40_000))
  })

  it('F34: ends when Redis stays away for as long as it may', async () => {
    await server.kill()
    const [, , , , ...given] = load('away', 10)
    const params = new Map(
      given.flatMap((text) => (text.includes('=') ? [text.split('=', 2) as [string, string]] : [])),
    )
    try {
      const running = async () => await (await startPipeline(job, { params, retryMs: 0 })).done
      await rejects(running, {
        code: 'SINK_UNREACHABLE',
        message: /stream lines of redis:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/,
      })
    } finally {
      await server.start()
    }
  })
})

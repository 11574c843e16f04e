import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { checkpointed, redisStreamAdd } from 'sluice'
import { plainSinkConformance } from 'sluice/testing'
import { deadLetter, traced } from '../src/connect/origin.ts'
import type { PlainWriter } from '../src/connect/sink.ts'
import { freePort, type ServerProcess, startRedis, without } from './support/brokers.ts'
import { sluice } from './support/cli.ts'
import { upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'

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
  plainSinkConformance<{ id: number }>({
    name: 'a Redis stream',
    make: async () => {
      places += 1
      const stream = `rows-${places}`
      return {
        sink: redisStreamAdd<{ id: number }>(url, {
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

describe(`redisStreamAdd (REPRO: SEED=${SEED} npm test)`, { skip: SKIP }, () => {
  beforeEach(async () => void (await client.flushAll()))

  const open = (epoch: number, note?: unknown, more: object = {}) =>
    redisStreamAdd<unknown>(url, { stream: 'rows', ...more }).open({
      pipeline: 'test',
      epoch,
      note: note as never,
    })
  const event = (value: unknown, offset = 0) => traced(value, { source: 'test', line: 1, offset, raw: 'raw' })
  const epochOf = async (writer: PlainWriter<unknown>, epoch: number, ...rows: unknown[]) => {
    await writer.write(rows.map((row, at) => event(row, at)))
    return await writer.prepare(epoch)
  }

  it('adds rows as JSON, or by the fields that it is told, in their order', async () => {
    const writer = await open(0)
    await writer.finish(await epochOf(writer, 1, { a: 1 }, { a: 2 }))
    deepEqual(await entries('rows'), [{ data: '{"a":1}' }, { data: '{"a":2}' }])
    await writer.close()
    const other = await open(0, undefined, { stream: 'others', fields: () => ({ x: 'ü', y: '' }) })
    await other.finish(await epochOf(other, 1, 7))
    deepEqual(await entries('others'), [{ x: 'ü', y: '' }])
    await other.close()
  })

  it('shows nothing of an epoch before it is finished, and leaves nothing behind then', async () => {
    const writer = await open(0)
    const note = await epochOf(writer, 1, ...upTo(2000))
    equal(await client.xLen('rows'), 0)
    await writer.finish(note)
    equal(await client.xLen('rows'), 2000)
    await writer.finish(note)
    equal(await client.xLen('rows'), 2000)
    await writer.close()
    deepEqual((await client.keys('*')).sort(), ['rows', '{rows}:sluice:test:epoch'])
  })

  it('forgets what a run that died has staged, and shows what it has committed', async () => {
    const dead = await open(0)
    await dead.finish(await epochOf(dead, 1, 'a'))
    const note = await epochOf(dead, 2, 'b')
    await dead.write([event('c')])
    await dead.close()
    const heir = await open(2, note)
    await heir.finish(note)
    deepEqual(await entries('rows'), [{ data: '"a"' }, { data: '"b"' }])
    await heir.close()
    deepEqual((await client.keys('*')).sort(), ['rows', '{rows}:sluice:test:epoch'])
  })

  it('takes a checkpoint that was reset for a new beginning', async () => {
    const first = await open(0)
    for (const epoch of [1, 2, 3]) await first.finish(await epochOf(first, epoch, epoch))
    await first.close()
    const second = await open(0)
    await second.finish(await epochOf(second, 1, 'anew'))
    deepEqual((await entries('rows')).at(-1), { data: '"anew"' })
    await second.close()
  })

  it('keeps the stream about as long as it is told', async () => {
    const writer = await open(0, undefined, { maxLength: 100 })
    await writer.finish(await epochOf(writer, 1, ...upTo(5000)))
    ok((await client.xLen('rows')) < 300)
    await writer.close()
  })

  it('makes dead letters of rows that have no fields', async () => {
    const writer = await open(0, undefined, { fields: (row: unknown) => row as never })
    const rows = [{}, 7, { a: 1 }, { a: 'fine' }, Object.fromEntries(upTo(1001).map((n) => [n, '']))]
    const letters = await writer.write(rows.map((row, at) => event(row, at)))
    deepEqual(letters, [
      deadLetter(event(0, 0).origin, 'redis', 'an entry has at least one field'),
      deadLetter(event(0, 1).origin, 'redis', 'an entry has at least one field'),
      deadLetter(event(0, 2).origin, 'redis', 'field "a" is no text'),
      deadLetter(event(0, 4).origin, 'redis', 'an entry has at most 1000 fields: found 1001'),
    ])
    await writer.close()
  })

  it('says so when Redis has lost what was staged', async () => {
    const writer = await open(0)
    const note = await epochOf(writer, 1, 'a', 'b')
    await client.flushAll()
    await rejects(async () => await writer.finish(note), {
      code: 'SINK_MISMATCH',
      message: /^Cannot finish epoch 1 in stream rows of redis:.*: 0 of the 2 rows that were staged/,
    })
    await writer.close()
  })

  it('refuses a key that holds no stream, and a server that is not there', async () => {
    await client.set('rows', 'text')
    const writer = await open(0)
    const note = await epochOf(writer, 1, 'a')
    await rejects(async () => await writer.finish(note), { code: 'SINK_MISMATCH' })
    await writer.close()
    const nobody = `redis://:hunter22@127.0.0.1:${await freePort()}`
    const opening = redisStreamAdd(nobody, { stream: 'a' }).open({ pipeline: 'x', epoch: 0, note: undefined })
    await rejects(opening, (error: Error & { code?: string }) => {
      equal(error.code, 'SINK_UNREACHABLE')
      match(error.message, /ECONNREFUSED/)
      ok(!error.message.includes('hunter22'))
      return true
    })
  })

  it('refuses options that do not fit', () => {
    throws(() => redisStreamAdd('redis://x', { stream: '' }), { code: 'CONFIG_INVALID' })
    throws(() => redisStreamAdd('mqtt://x', { stream: 'a' }), { code: 'CONFIG_INVALID' })
    throws(() => redisStreamAdd('redis://x', { stream: 'a', maxLength: 0 }), RangeError)
    const sink = checkpointed(redisStreamAdd('redis://x', { stream: 'a' }), { store: 'x.db' })
    deepEqual([sink.title, sink.guarantee], ['stream a of redis://x:6379', 'exactly-once'])
  })

  it('F1, F7: holds each line once, over kills of the load and restarts of the server', async () => {
    const [input, out] = [join(folder, 'in.log'), join(folder, 'state.db')]
    const count = 40_000
    writeFileSync(input, `${upTo(count).join('\n')}\n`)
    const random = randomOf('redis-add')
    const given = ['--param', `input=${input}`, '--param', `url=${url}`, '--param', `out=${out}`]
    const argv = ['run', join(ROOT, 'test', 'jobs', 'redis-add.ts'), '--quiet', '--epoch-ms', '20', ...given]
    let ends = 0
    for (let turn = 0; turn < 8 && ends === 0; turn += 1) {
      const isKilled = turn < 5
      const { code, stderr } = await sluice(argv, {
        onStart: (child) => {
          if (isKilled) setTimeout(() => child.kill('SIGKILL'), 400 + random() * 500)
          else if (turn === 5) {
            void sleep(500).then(async () => {
              await server.kill()
              await server.start()
            })
          }
        },
      })
      if (code === 0) ends += 1
      else if (!isKilled) match(stderr, /Cannot|reach/)
    }
    equal(ends, 1)
    deepEqual(
      (await entries('lines')).map(({ line }) => Number(line)),
      upTo(count),
    )
  })
})

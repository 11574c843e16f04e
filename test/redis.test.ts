import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { json, type Position, startPipeline, textLines } from 'sluice'
import { redisStreamSource } from 'sluice/redis'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import job from './jobs/redis.ts'
import { freePort, type ServerProcess, startRedis, without } from './support/brokers.ts'
import { loadOverKills, numbersIn, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { isUnreachable, take } from './support/take.ts'
import { until, untilNoted } from './support/until.ts'

const JOB = join(ROOT, 'test', 'jobs', 'redis.ts')
const folder = tempFolder('sluice-redis-')
let loads = 0
const newFile = () => {
  loads += 1
  return join(folder, `${loads}.db`)
}
describe(`redisStreamSource (REPRO: SEED=${SEED} npm test)`, { skip: without('redis-server') }, () => {
  let server: ServerProcess
  let url = ''
  let client: ReturnType<typeof createClient>
  const random = randomOf('redis')
  const connected = async () => {
    const one = createClient({ url, socket: { reconnectStrategy: (tries) => Math.min(tries * 20, 200) } })
    one.on('error', () => {}) // It connects again.
    await one.connect()
    return one as ReturnType<typeof createClient>
  }
  before(async () => {
    server = await startRedis()
    url = `redis://127.0.0.1:${server.port}`
    client = await connected()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })
  beforeEach(async () => void (await client.flushAll()))

  const add = async (...bodies: (string | Buffer)[]) => {
    for (const data of bodies) await client.xAdd('numbers', '*', { data })
  }
  const reading = async (from?: Position, group?: string) => {
    const source = redisStreamSource(url, textLines(), { stream: 'numbers', ...(group === undefined ? {} : { group }) })
    return await source.open({ id: '' }, from)
  }
  for (const group of [undefined, 'loaders']) {
    const how = group === undefined ? 'by position' : 'in a group'

    it(`gives what comes in its order, and goes on behind what was committed, ${how}`, async () => {
      await add('one', 'two')
      const first = await reading(undefined, group)
      deepEqual(await take(first, 2), ['one', 'two'])
      const position = JSON.parse(JSON.stringify(first.position()))
      await add('three')
      deepEqual(await take(first, 1), ['three'])
      await first.close()
      const second = await reading(position, group)
      deepEqual(await take(second, 1), ['three'])
      await add('four')
      deepEqual(await take(second, 1), ['four'])
      await second.close()
    })

    it(`F1: is loaded exactly once over kills at random moments, ${how}`, async () => {
      const out = newFile()
      const params = { url, out, group: group ?? '' }
      const count = 5000
      const adding = (async () => {
        for (let n = 1; n <= count; n += 100) {
          const some = Array.from({ length: 100 }, (_, at) => n + at)
          await Promise.all(some.map((one) => client.xAdd('numbers', '*', { data: `{"n":${one}}` })))
          await sleep(20)
        }
      })()
      await loadOverKills({ job: JOB, params, out, count, kills: 6, random })
      await adding
      if (group === undefined) return
      // A run that was killed between its last commit and telling of it leaves that to the next one.
      const run = await startPipeline(job, { params: new Map(Object.entries(params)), epochMs: 20 })
      const pending = async () => (await client.xPending('numbers', group)).pending
      await until(async () => (await pending()) === 0, 'word of the last commit')
      await run.drain('the test is over')
      equal(await pending(), 0)
      deepEqual(numbersIn(out), upTo(count))
    })
  }

  it('acknowledges what is committed, and nothing else', async () => {
    await add('one', 'two', 'three')
    const reader = await reading(undefined, 'g')
    await take(reader, 1)
    const position = reader.position()
    await take(reader, 1)
    reader.acknowledge?.(position)
    await reader.close()
    const left = await client.xPendingRange('numbers', 'g', '-', '+', 10)
    equal(left.length, 2)
  })

  it('goes on when the server was away', async () => {
    const out = newFile()
    const notes: string[] = []
    await add(...upTo(300).map((n) => `{"n":${n}}`))
    const run = await startPipeline(job, {
      params: new Map(Object.entries({ url, out, group: 'away' })),
      epochMs: 20,
      onEvent: (event) => {
        if (event.kind === 'noted') notes.push(event.note)
      },
    })
    await until(() => numbersIn(out).length >= 300, 'the first numbers')
    await server.kill()
    await until(() => notes.some((note) => note.includes(' broke ')), 'a word of the loss')
    await server.start()
    await until(() => notes.some((note) => note.startsWith('reconnected to')), 'a connection')
    await until(() => client.isReady, 'our own connection')
    await add(...upTo(300).map((n) => `{"n":${n + 300}}`))
    await until(() => numbersIn(out).length >= 600, 'all numbers')
    await run.drain('the test is over')
    deepEqual(numbersIn(out), upTo(600))
    await untilNoted(notes, /^the connection to redis:\/\/127\.0\.0\.1:\d+ broke \(.*\): reconnecting$/)
  })

  it('makes dead letters of what is not in the format, and of entries without the field', async () => {
    const source = redisStreamSource(url, json<{ t: number }>(), {
      stream: 'numbers',
      event: ({ t }, { fields }) => `${fields.place} ${t}`,
    })
    await client.xAdd('numbers', '*', { data: '{"t":1}', place: 'attic' })
    await client.xAdd('numbers', '*', { data: 'x'.repeat(1_000_000) })
    await client.xAdd('numbers', '*', { data: Buffer.of(0xff) })
    await client.xAdd('numbers', '*', { other: '1' })
    const reader = await source.open({ id: '' }, undefined)
    const found: string[] = []
    while (found.length < 4) {
      for (const entry of (await readEntries(reader, 10)) ?? []) {
        found.push(
          entry.kind === 'event' ? entry.value : `${entry.step}: ${entry.reason}`.replace(/\d+-\d+/, 'ID').slice(0, 40),
        )
      }
    }
    await reader.close()
    equal(found[0], 'attic 1')
    match(found[1] ?? '', /^json: /)
    match(found[2] ?? '', /^json: /)
    equal(found[3], 'redis: entry ID has no field "data"')
  })

  it('passes over entries that were deleted before they were read again', async () => {
    await add('one', 'two', 'three')
    const first = await reading(undefined, 'g')
    await take(first, 3)
    await first.close()
    const [one] = (await client.xRange('numbers', '-', '+')) ?? []
    await client.xDel('numbers', one?.id ?? '')
    const second = await reading(undefined, 'g')
    deepEqual(await take(second, 2), ['two', 'three'])
    await second.close()
  })

  it('says that entries are gone that nobody has read', async () => {
    await add('one', 'two', 'three')
    const reader = await reading()
    await take(reader, 1)
    const position = JSON.parse(JSON.stringify(reader.position()))
    await reader.close()
    const [, two] = (await client.xRange('numbers', '-', '+')) ?? []
    await client.xDel('numbers', two?.id ?? '')
    await rejects(
      reading(position),
      /^SluiceError: Cannot resume stream numbers of .*: entries up to \d+-\d+ were deleted before/,
    )
    await client.del('numbers')
    await rejects(reading(position), { code: 'POSITION_LOST', message: /the stream is gone$/ })
  })

  it('notes that a stream was trimmed beyond what was read', async () => {
    await add('one', 'two', 'three')
    const reader = await reading()
    await take(reader, 1)
    const position = JSON.parse(JSON.stringify(reader.position()))
    await reader.close()
    await client.xTrim('numbers', 'MAXLEN', 1)
    const notes: string[] = []
    const source = redisStreamSource(url, textLines(), { stream: 'numbers' })
    const second = await source.open({ id: '' }, position, { onNote: (note) => notes.push(note) })
    deepEqual(await take(second, 1), ['three'])
    await second.close()
    await untilNoted(notes, /^the stream was trimmed up to \d+-\d+, beyond \d+-\d+, where reading continues: entries/)
  })

  it('reads nothing more while enough waits', async () => {
    const body = 'x'.repeat(20_000)
    for (let turn = 0; turn < 12; turn += 1) await add(...upTo(100).map(() => body))
    const reader = await reading(undefined, 'g')
    const pending = async () => (await client.xPending('numbers', 'g')).pending
    await until(async () => (await pending()) > 419, 'as much as may wait')
    // Nothing shows that no more is read: long enough for a reader that would.
    await sleep(300)
    // 8 MiB wait at most, and one read of 500 entries more.
    ok((await pending()) <= 919, `${await pending()} entries are here`)
    equal((await take(reader, 1200)).length, 1200)
    await reader.close()
  })

  it('says that there is no server, once it has tried for long enough, and shows no password', async () => {
    const port = await freePort()
    const source = redisStreamSource(`redis://ann:secret@127.0.0.1:${port}`, textLines(), { stream: 'a', retryMs: 300 })
    await isUnreachable(source, new RegExp(`^Cannot read stream a of redis://127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`))
  })
})

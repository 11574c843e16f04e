import { deepEqual, equal, rejects } from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { json, type Position, startPipeline, textLines } from 'sluice'
import { natsSource } from 'sluice/nats'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import job from './jobs/nats.ts'
import { freePort, type ServerProcess, startNats, without } from './support/brokers.ts'
import { loadOverKills, numbersIn, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { isUnreachable, take } from './support/take.ts'
import { until, untilNoted } from './support/until.ts'

const folder = tempFolder('sluice-nats-')

describe(`nats (REPRO: SEED=${SEED} npm test)`, { skip: without('nats-server') }, () => {
  let server: ServerProcess
  let url = ''
  let client: NatsConnection
  let manager: JetStreamManager
  before(async () => {
    server = await startNats()
    url = `nats://127.0.0.1:${server.port}`
    client = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
    manager = await jetstreamManager(client)
  })
  after(async () => {
    await client.close()
    await server.stop()
  })
  beforeEach(async () => {
    for (const name of ['NUMBERS', 'QUEUE']) await manager.streams.delete(name).catch(() => {}) // It does not exist.
    await manager.streams.add({ name: 'NUMBERS', subjects: ['numbers.>', 'other.>'] })
  })

  const publish = async (subject: string, bodies: readonly (string | Uint8Array)[]) => {
    for (const body of bodies) await manager.jetstream().publish(subject, body)
  }
  const reading = async (from?: Position, onNote: (note: string) => void = () => {}, subject?: string) => {
    const options = { stream: 'NUMBERS', ...(subject === undefined ? {} : { subject }) }
    return await natsSource(url, textLines(), options).open({ id: '' }, from, { onNote })
  }
  it('gives what comes in its order, and goes on behind what was committed', async () => {
    await publish('numbers.a', ['one', 'two'])
    const first = await reading()
    deepEqual(await take(first, 2), ['one', 'two'])
    const position = JSON.parse(JSON.stringify(first.position()))
    await publish('numbers.b', ['three'])
    deepEqual(await take(first, 1), ['three'])
    await first.close()
    const second = await reading(position)
    deepEqual(await take(second, 1), ['three'])
    await publish('numbers.a', ['four'])
    deepEqual(await take(second, 1), ['four'])
    await second.close()
  })

  it('reads one subject where it is told to', async () => {
    await publish('numbers.a', ['one'])
    await publish('other.a', ['not this'])
    await publish('numbers.b.c', ['two'])
    const reader = await reading(undefined, undefined, 'numbers.>')
    deepEqual(await take(reader, 2), ['one', 'two'])
    await reader.close()
  })

  it('F1: is loaded exactly once over kills at random moments', async () => {
    const out = join(folder, 'killed.db')
    const count = 5000
    const publishing = (async () => {
      for (let n = 1; n <= count; n += 100) {
        const some = Array.from({ length: 100 }, (_, at) => n + at)
        await Promise.all(some.map((one) => manager.jetstream().publish(`numbers.${one % 7}`, `{"n":${one}}`)))
        await sleep(20)
      }
    })()
    const load = { job: join(ROOT, 'test', 'jobs', 'nats.ts'), params: { url, out }, out, count }
    await loadOverKills({ ...load, kills: 6, random: randomOf('nats') })
    await publishing
  })

  it('goes on when the server was away', async () => {
    const out = join(folder, 'away.db')
    const notes: string[] = []
    await publish(
      'numbers.a',
      upTo(300).map((n) => `{"n":${n}}`),
    )
    const run = await startPipeline(job, {
      params: new Map(Object.entries({ url, out })),
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
    const isBack = async () => (await client.rtt().catch(() => undefined)) !== undefined
    await until(isBack, 'our own connection')
    await publish(
      'numbers.a',
      upTo(300).map((n) => `{"n":${n + 300}}`),
    )
    await until(() => numbersIn(out).length >= 600, 'all numbers')
    await run.drain('the test is over')
    deepEqual(numbersIn(out), upTo(600))
    await untilNoted(notes, /^the connection to nats:\/\/127\.0\.0\.1:\d+ broke \(.*\): reconnecting$/)
  })

  it('gives subject, number, time and headers to `event`, and makes dead letters of what is not in the format', async () => {
    const source = natsSource(url, json<{ t: number }>(), {
      stream: 'NUMBERS',
      event: ({ t }, { subject, sequence, timeMs, headers: { place } }) => {
        return `${subject} ${sequence} ${place} ${t} ${Math.abs(timeMs - Date.now()) < 60_000}`
      },
    })
    const own = headers()
    own.set('place', 'attic')
    await manager.jetstream().publish('numbers.a', '{"t":1}', { headers: own })
    await publish('numbers.a', ['x'.repeat(500_000), Uint8Array.of(0xff)])
    const reader = await source.open({ id: '' }, undefined)
    const found: string[] = []
    while (found.length < 3) {
      for (const entry of (await readEntries(reader, 10)) ?? []) {
        found.push(entry.kind === 'event' ? entry.value : `${entry.step} of ${entry.origin.source}`)
      }
    }
    await reader.close()
    deepEqual(found, ['numbers.a 1 attic 1 true', 'json of subject numbers.a', 'json of subject numbers.a'])
  })

  it('says that messages are gone that nobody has read, or may be', async () => {
    await publish('numbers.a', ['one', 'two', 'three', 'four'])
    const reader = await reading()
    await take(reader, 1)
    const position = JSON.parse(JSON.stringify(reader.position()))
    await reader.close()
    await manager.streams.purge('NUMBERS', { keep: 1 })
    await rejects(reading(position), {
      code: 'POSITION_LOST',
      message: /messages up to number 3 were deleted before they were read$/,
    })
    const notes: string[] = []
    const other = await reading(position, (note) => notes.push(note), 'numbers.>')
    deepEqual(await take(other, 1), ['four'])
    await other.close()
    await untilNoted(notes, /^messages up to number 3 were deleted before they were read, some of numbers\.> perhaps/)
    await manager.streams.delete('NUMBERS')
    await manager.streams.add({ name: 'NUMBERS', subjects: ['numbers.>'] })
    await rejects(reading(position), { code: 'POSITION_LOST', message: /the stream's last message is number 0$/ })
  })

  it('reads nothing more while enough waits', async () => {
    const all = upTo(1500).map((n) => `${n} ${'x'.repeat(20_000)}`)
    await publish('numbers.a', all)
    const reader = await reading()
    const given = async () => {
      const consumers = await Array.fromAsync(manager.consumers.list('NUMBERS'))
      return consumers.map(({ delivered }) => delivered.stream_seq)
    }
    await until(async () => ((await given())[0] ?? 0) >= 500, 'the first messages')
    // Long enough for a reader that would go on: another one is given all meanwhile.
    const other = await reading()
    equal((await take(other, 1500)).length, 1500)
    // 8 MiB wait at most: the first 500 of them are more.
    deepEqual(
      (await given()).sort((a, b) => a - b),
      [500, 1500],
    )
    await other.close()
    deepEqual(await take(reader, 1500), all)
    await reader.close()
  })

  it('refuses a work queue', async () => {
    await manager.streams.add({ name: 'QUEUE', subjects: ['queue.>'], retention: 'workqueue' })
    const opening = natsSource(url, textLines(), { stream: 'QUEUE' }).open({ id: '' }, undefined)
    await rejects(opening, { code: 'CONFIG_INVALID', message: /it is a work queue/ })
  })

  it('says that there is no server, once it has tried for long enough, and shows no password', async () => {
    const port = await freePort()
    const source = natsSource(`nats://ann:secret@127.0.0.1:${port}`, textLines(), { stream: 'a', retryMs: 300 })
    await isUnreachable(source, new RegExp(`^Cannot read stream a of nats://127\\.0\\.0\\.1:${port}: `))
  })
})

import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { json, type Position, type SplitReader, startPipeline, textLines } from 'sluice'
import { type RabbitmqSourceOptions, rabbitmqSource } from 'sluice/rabbitmq'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import job from './jobs/rabbitmq.ts'
import { freePort, type ServerProcess, startRabbitmq, without } from './support/brokers.ts'
import { clientSockets } from './support/client-sockets.ts'
import { loadOverKills, numbersIn, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { take } from './support/take.ts'
import { until, untilNoted } from './support/until.ts'

const folder = tempFolder('sluice-rabbitmq-')

const sockets = () => process.getActiveResourcesInfo().filter((what) => what === 'TCPSocketWrap').length

interface Sending {
  readonly messageId?: string
  readonly contentType?: string
  readonly headers?: Record<string, unknown>
}

describe(`rabbitmq (REPRO: SEED=${SEED} npm test)`, { skip: without('rabbitmq-server') }, () => {
  let server: ServerProcess
  let url = ''
  let client: ChannelModel
  let channel: ConfirmChannel
  const connectClient = async () => {
    client = await connect(url)
    client.on('error', () => {}) // The broker is killed by a test.
    channel = await client.createConfirmChannel()
    channel.on('error', () => {})
  }
  before(async () => {
    server = await startRabbitmq()
    url = `amqp://127.0.0.1:${server.port}`
    await connectClient()
  })
  after(async () => {
    await client.close()
    await server.stop()
  })
  beforeEach(async () => {
    await channel.deleteQueue('numbers')
    await channel.assertQueue('numbers', { durable: true })
  })

  const send = async (body: string, options: Sending = {}, queue = 'numbers') => {
    channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...options })
    await channel.waitForConfirms()
  }
  const waiting = async (queue = 'numbers') => (await channel.checkQueue(queue)).messageCount
  const reading = async (
    options: Partial<RabbitmqSourceOptions<string, string>> = {},
    from?: Position,
    onNote: (note: string) => void = () => {},
  ) => rabbitmqSource(url, textLines(), { queue: 'numbers', ...options }).open({ id: '' }, from, { onNote })
  const saved = (reader: SplitReader<string>) => JSON.parse(JSON.stringify(reader.position()))
  const gone = async (count = 0, queue = 'numbers') => {
    // Messages that are given and not acknowledged are not counted: they are once the reader is gone.
    await until(async () => (await waiting(queue)) === count, `a queue of ${count}`)
  }
  /** The broker holds back for a while what it logs of queues: one that is killed before has forgotten a new queue. */
  const logged = async (queue: string) => {
    const tables = join(server.folder, 'data', `sluice${server.port}@localhost`)
    const names = () => readdirSync(tables, { withFileTypes: true }).filter((one) => one.isFile())
    const isIn = (name: string) => readFileSync(join(tables, name)).includes(queue)
    await until(() => names().some(({ name }) => isIn(name)), `${queue} in the tables of the broker`)
  }

  it('R3: refuses a stream, whatever its settings are, and reads other queues with such settings', async () => {
    // Each under a name of its own: a channel of the broker may crash where a stream comes back under the same one.
    let made = 0
    const make = async (args: Record<string, unknown>): Promise<string> => {
      made += 1
      const queue = `kept${made}`
      await channel.assertQueue(queue, { durable: true, arguments: args })
      channel.sendToQueue(queue, Buffer.from('one'), { persistent: true, headers: { 'x-stream-offset': 7 } })
      await channel.waitForConfirms()
      return queue
    }
    const first = async (queue: string) => {
      const reader = await rabbitmqSource(url, textLines(), { queue }).open({ id: '' }, undefined)
      try {
        return await take(reader, 1)
      } finally {
        await reader.close()
      }
    }
    for (const more of [{}, { 'x-max-age': '7D', 'x-max-length-bytes': 2_000_000_000 }]) {
      const stream = await make({ 'x-queue-type': 'stream', ...more })
      await rejects(first(stream), {
        code: 'CONFIG_INVALID',
        message: /^Cannot read queue kept\d: .* this one is a stream/,
      })
    }
    deepEqual(await first(await make({})), ['one'])
    deepEqual(await first(await make({ 'x-queue-type': 'quorum' })), ['one'])
  })

  it('gives messages with what came with them, and makes dead letters of others', async () => {
    await send('{"n":12345678901234567890}', { messageId: 'a', contentType: 'application/json', headers: { x: 1 } })
    await send('{')
    const source = rabbitmqSource(url, json<{ n: bigint }>({ bigints: 'bigint' }), {
      queue: 'numbers',
      event: ({ n }, { routingKey, messageId, headers }) => `${n} ${routingKey} ${messageId} ${headers.x}`,
    })
    const reader = await source.open({ id: '' }, undefined)
    const found: string[] = []
    while (found.length < 2) {
      for (const entry of (await readEntries(reader, 10)) ?? []) {
        found.push(
          entry.kind === 'event' ? entry.value : `${entry.step}: ${entry.origin.source} ${entry.origin.offset}`,
        )
      }
    }
    deepEqual(found, ['12345678901234567890 numbers a 1', 'json: queue numbers 1'])
    await reader.close()
  })

  it('acknowledges what is committed, and nothing else', async () => {
    for (const n of upTo(5)) await send(String(n), { messageId: String(n) })
    const reader = await reading()
    deepEqual(await take(reader, 3), ['1', '2', '3'])
    const position = reader.position()
    deepEqual(await take(reader, 2), ['4', '5'])
    reader.acknowledge?.(position)
    await until(() => (saved(reader).pending as string[]).length === 2, 'word that the broker has heard')
    await reader.close()
    await gone(2)
    const second = await reading({}, saved(reader))
    await send('6', { messageId: '6' })
    deepEqual(await take(second, 1), ['6'], 'what the position says was given does not come again')
    second.acknowledge?.(second.position())
    await second.close()
    await gone()
  })

  it('gives again what was given and is in no position', async () => {
    for (const n of upTo(3)) await send(String(n), { messageId: String(n) })
    const first = await reading()
    await take(first, 1)
    const position = saved(first)
    await take(first, 2)
    await first.close()
    const second = await reading({}, position)
    deepEqual(await take(second, 2), ['2', '3'])
    await second.close()
  })

  it('takes messages of one id for one, and those without for as many as there are', async () => {
    await send('a', { messageId: 'x' })
    await send('a', { messageId: 'x' })
    await send('b')
    await send('b')
    const reader = await reading()
    deepEqual(await take(reader, 3), ['a', 'b', 'b'])
    reader.acknowledge?.(reader.position())
    await reader.close()
    await gone()
  })

  it('knows messages by another id, where it is told to', async () => {
    await send('a', { headers: { key: 1 } })
    await send('a', { headers: { key: 1 } })
    await send('b', { headers: { key: 2 } })
    const reader = await reading({ id: ({ headers }) => String(headers.key) })
    deepEqual(await take(reader, 2), ['a', 'b'])
    deepEqual(saved(reader), { count: 2, pending: ['1', '2'] })
    await reader.close()
  })

  it('ends the run when the id of a message cannot be made', async () => {
    await send('a')
    const reader = await reading({ id: ({ headers }) => (headers.key as string).trim() })
    await rejects(take(reader, 1), { code: 'SOURCE_UNREADABLE', message: /: id threw: Cannot read properties/ })
    await reader.close()
  })

  it('asks for no more than may be in flight', async () => {
    for (const n of upTo(30)) channel.sendToQueue('numbers', Buffer.from(String(n)))
    await channel.waitForConfirms()
    const reader = await reading({ inFlight: 10 })
    await take(reader, 10)
    // Nothing shows that no more is asked for: long enough for a reader that would.
    await sleep(100)
    equal(await waiting(), 20)
    reader.acknowledge?.(reader.position())
    await take(reader, 10)
    await reader.close()
  })

  it('goes on over a new connection: what was given is acknowledged there, what was not comes again', async () => {
    const queue = 'kept over a crash'
    await channel.assertQueue(queue, { durable: true })
    for (const n of upTo(4)) await send(String(n), { messageId: String(n) }, queue)
    const notes: string[] = []
    const reader = await reading({ queue, inFlight: 4 }, undefined, (note) => notes.push(note))
    deepEqual(await take(reader, 2), ['1', '2'])
    await logged(queue)
    await client.close()
    await server.kill()
    await server.start()
    await connectClient()
    deepEqual(await take(reader, 2), ['3', '4'])
    reader.acknowledge?.(reader.position())
    await reader.close()
    await gone(0, queue)
    await untilNoted(notes, /^the connection to amqp:\/\/127\.0\.0\.1:\d+ broke /)
    await untilNoted(notes, /^reconnected to /)
  })

  it('F1: is loaded exactly once over kills at random moments', async () => {
    const out = join(folder, 'killed.db')
    const count = 5000
    const sending = (async () => {
      for (let n = 1; n <= count; n += 100) {
        for (let one = n; one < n + 100; one += 1) {
          channel.sendToQueue('numbers', Buffer.from(`{"n":${one}}`), { persistent: true, messageId: String(one) })
        }
        await channel.waitForConfirms()
        await sleep(20)
      }
    })()
    const load = { job: join(ROOT, 'test', 'jobs', 'rabbitmq.ts'), params: { url, out }, out, count }
    await Promise.all([sending, loadOverKills({ ...load, kills: 5, random: randomOf('rabbitmq') })])
    await gone()
  })

  it('is loaded on worker threads', async () => {
    const out = join(folder, 'threads.db')
    for (const n of upTo(200)) {
      channel.sendToQueue('numbers', Buffer.from(`{"n":${n}}`), { persistent: true, messageId: String(n) })
    }
    await channel.waitForConfirms()
    const run = await startPipeline(new URL('./jobs/rabbitmq.ts', import.meta.url), {
      params: new Map([
        ['url', url],
        ['out', out],
      ]),
      threads: 2,
    })
    await until(() => numbersIn(out).length === 200, 'all numbers')
    await run.drain('the test is over')
    await run.done
    deepEqual(numbersIn(out), upTo(200))
    await gone()
  })

  it('reads no queue that another reader has for itself alone, until that is gone', async () => {
    const first = await reading()
    await rejects(reading({ retryMs: 200 }), { code: 'SOURCE_UNREADABLE', message: /exclusive/i })
    const { sockets: tries, stop } = clientSockets()
    const second = reading({ retryMs: 60_000 })
    await until(() => tries.length > 1, 'a second attempt')
    stop()
    await first.close()
    await (await second).close()
  })

  const limit = { timeout: 60_000 }
  it('is closed in time, and leaves no socket, when the broker does not answer any more', limit, async () => {
    await send('a')
    const before = sockets()
    const reader = await reading()
    await take(reader, 1)
    server.pause()
    try {
      await reader.close()
      await until(() => sockets() === before, 'the end of the socket')
    } finally {
      server.resume()
    }
  })

  it('ends the run when the queue is gone', async () => {
    const reader = await reading()
    await channel.deleteQueue('numbers')
    await rejects(take(reader, 1), { code: 'SOURCE_UNREADABLE', message: /NOT_FOUND/ })
    await reader.close()
  })

  it('says that there is no such queue, no such user, or no broker, and shows no secret', async () => {
    await rejects(rabbitmqSource(url, textLines(), { queue: 'none' }).open({ id: '' }, undefined), {
      code: 'SOURCE_UNREADABLE',
      message: /^Cannot read queue none of amqp:\/\/127\.0\.0\.1:\d+: .*404/,
    })
    const wrong = url.replace('amqp://', 'amqp://ann:hunter22@')
    await rejects(
      rabbitmqSource(wrong, textLines(), { queue: 'numbers' }).open({ id: '' }, undefined),
      (error: Error) => {
        match(error.message, /ACCESS_REFUSED|ACCESS-REFUSED|403/)
        ok(!error.message.includes('hunter22'))
        return true
      },
    )
    const nobody = `amqp://127.0.0.1:${await freePort()}`
    await rejects(rabbitmqSource(nobody, textLines(), { queue: 'a', retryMs: 100 }).open({ id: '' }, undefined), {
      code: 'SOURCE_UNREADABLE',
      message: /ECONNREFUSED/,
    })
  })
})

describe('rabbitmq, without a broker', () => {
  for (const scheme of ['amqp', 'amqps']) {
    it(`leaves no socket to one that answers nothing, over ${scheme}, once nobody waits for it`, async () => {
      const silent = createServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const stop = new AbortController()
      const { port } = silent.address() as AddressInfo
      const source = rabbitmqSource(`${scheme}://127.0.0.1:${port}`, textLines(), { queue: 'q' })
      const opening = source.open({ id: '' }, undefined, { signal: stop.signal })
      const [socket] = (await once(silent, 'connection')) as [Socket]
      stop.abort(new Error('stopped'))
      await rejects(opening, /stopped/)
      await once(socket, 'close')
      silent.close()
    })
  }

  it('refuses what does not fit, without showing secrets', () => {
    const options = { queue: 'q' }
    throws(() => rabbitmqSource('mqtt://ann:hunter2@x', textLines(), options), { code: 'CONFIG_INVALID' })
    throws(() => rabbitmqSource('amqp://x', textLines(), { queue: '' }), { code: 'CONFIG_INVALID' })
    throws(() => rabbitmqSource('amqp://x', textLines(), { queue: 'q', inFlight: 0 }), RangeError)
    throws(() => rabbitmqSource('amqp://x', textLines(), { queue: 'q', que: 1 } as never), /no option que/)
    equal(rabbitmqSource('amqps://ann:hunter2@x/v', textLines(), options).title, 'queue q of amqps://x:5671')
  })

  it('refuses positions of others', async () => {
    for (const from of [7, { count: -1 }, { count: 1, pending: [7] }]) {
      const opening = rabbitmqSource('amqp://127.0.0.1:1', textLines(), { queue: 'q' }).open(
        { id: '' },
        from as Position,
      )
      await rejects(opening, { code: 'POSITION_LOST' })
    }
  })

  it('is a pipeline', () => {
    equal(job.name, 'rabbitmq')
  })
})

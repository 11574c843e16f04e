import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats, type NatsConnection } from '@nats-io/transport-node'
import { type ChannelModel, type ConfirmChannel, connect as connectRabbit } from 'amqplib'
import { connectAsync, type MqttClient } from 'mqtt'
import type { TwoPhaseSink } from 'sluice'
import { type MqttSinkOptions, mqttSink } from 'sluice/mqtt'
import { type NatsSinkOptions, natsSink } from 'sluice/nats'
import { type RabbitmqSinkOptions, rabbitmqSink } from 'sluice/rabbitmq'
import { twoPhaseSinkConformance } from 'sluice/testing'
import { batchOfTracked } from '../src/connect/batch.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import {
  Aedes,
  freePort,
  programOf,
  ServerProcess,
  startMosquitto,
  startNats,
  startRabbitmq,
  without,
} from './support/brokers.ts'
import { sluice } from './support/cli.ts'
import { upTo } from './support/live-load.ts'
import {
  abortsWhile,
  event,
  payload,
  publish,
  publishLines,
  type Row,
  runOverKills,
  unreachable,
} from './support/publishing.ts'
import { randomOf, SEED } from './support/seed.ts'
import { until } from './support/until.ts'

const folder = tempFolder('sluice-publish-')
const loadOf = (url: string, count: number, name: string) => publishLines(folder, url, count, name)
const overKills = async (url: string, count: number, name: string) => {
  await runOverKills(loadOf(url, count, name), randomOf(`publish ${name}`))
}

/** Runs the job once, to its end; its broker is killed when it has taken something, and started again. */
async function overRestart(
  server: ServerProcess,
  argv: readonly string[],
  hasBegun: () => boolean | Promise<boolean>,
): Promise<void> {
  const isOver = { value: false }
  let restarting = Promise.resolve(false)
  const restart = async (): Promise<boolean> => {
    await until(async () => isOver.value || (await hasBegun()), 'the first messages')
    const wasRunning = !isOver.value
    await server.kill()
    await server.start()
    return wasRunning
  }
  const { code, stderr } = await sluice(argv, {
    onStart: () => {
      restarting = restart()
    },
  })
  isOver.value = true
  equal(code, 0, stderr)
  ok(await restarting, 'the broker was killed before the load was over')
}

/** Refused for good, by a broker that is there; the password is shown nowhere. */
async function refusesUser(sink: TwoPhaseSink<unknown>): Promise<void> {
  await rejects(sink.open({ pipeline: 'x', epoch: 0, note: undefined }), (error: Error & { code?: string }) => {
    equal(error.code, 'SINK_UNREACHABLE')
    ok(!inspect(error, { depth: 5 }).includes('hunter22'))
    return true
  })
}

const NO_NATS = without('nats-server')
describe(`natsSink (REPRO: SEED=${SEED} npm test)`, { skip: NO_NATS }, () => {
  let server: ServerProcess
  let url = ''
  let client: NatsConnection
  let manager: JetStreamManager
  before(async () => {
    server = await startNats()
    url = `nats://127.0.0.1:${server.port}`
    client = await connectNats({ servers: url })
    manager = await jetstreamManager(client)
  })
  after(async () => {
    await client.close()
    await server.stop()
  })

  const streamOf = async (name: string, subjects: string[]) => void (await manager.streams.add({ name, subjects }))
  const messagesOf = async (name: string) => {
    const { state } = await manager.streams.info(name)
    const found = []
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq += 1) {
      const message = await manager.streams.getMessage(name, { seq })
      if (message !== null) found.push(message)
    }
    return found
  }

  let places = 0
  if (NO_NATS === false) {
    twoPhaseSinkConformance<Row>({
      name: 'subjects of NATS',
      make: async () => {
        places += 1
        const [name, subject] = [`PLACE${places}`, `place${places}`]
        await streamOf(name, [subject])
        return {
          sink: natsSink<Row>(url, { subject, payload }),
          visible: async () => (await messagesOf(name)).map(({ data }) => Number(Buffer.from(data).toString())),
        }
      },
      row: (id) => ({ id }),
      refused: { id: -1 },
      scripts: 10,
    })
  }

  it('publishes what it is told to where it is told to', async () => {
    await streamOf('ORDERS', ['orders.>'])
    const options: NatsSinkOptions<Row> = {
      subject: ({ id }) => `orders.${id}`,
      headers: ({ id }) => ({ 'x-id': String(id) }),
    }
    deepEqual(await publish(natsSink<Row>(url, options), { id: 1 }, { id: 2 }), [])
    const found = (await messagesOf('ORDERS')).map(({ subject, data, header }) => {
      return [subject, Buffer.from(data).toString(), header.get('x-id')]
    })
    deepEqual(found, [
      ['orders.1', '{"id":1}', '1'],
      ['orders.2', '{"id":2}', '2'],
    ])
  })

  it('makes dead letters of what is no subject, too long, or has no body', async () => {
    await streamOf('LETTERS', ['letters.>'])
    const sink = natsSink<unknown>(url, {
      subject: (row) => (row === 'where' ? 'letters.*' : 'letters.a'),
      payload: (row) => (row === 'long' ? 'x'.repeat(2_000_000) : (row as string)),
    })
    deepEqual(await publish(sink, 'where', 'long', 7, 'fine'), [
      [0, '"letters.*" is not a subject'],
      [2, 'payload must return a text or bytes: found 7'],
      [1, 'a message of 2000000 bytes: the server takes 1048576'],
    ])
    equal((await messagesOf('LETTERS')).length, 1)
  })

  it('says that no stream takes a subject, and that there is no server', async () => {
    await rejects(publish(natsSink<Row>(url, { subject: 'nobody' }), { id: 1 }), {
      code: 'SINK_LOST',
      message: /: no stream takes the subject "nobody", or the server has none/,
    })
    await unreachable(natsSink(`nats://ann:hunter22@127.0.0.1:${await freePort()}`, { subject: 'a' }))
  })

  it('makes dead letters of what the stream, the server or the client refuses', async () => {
    await manager.streams.add({ name: 'SMALL', subjects: ['small.>'], max_msg_size: 100 })
    interface Case {
      readonly subject?: string
      readonly text?: string
      readonly id?: string
      readonly name?: string
      readonly value?: string
    }
    const sink = natsSink<Case>(url, {
      subject: ({ subject = 'small.a' }) => subject,
      payload: ({ text = 'fine' }) => text,
      id: ({ id = 'same' }) => id,
      headers: ({ name = 'x', value = 'y' }) => ({ [name]: value }),
    })
    const cases: Case[] = [
      { text: 'x'.repeat(101) },
      { text: 'x'.repeat(1_048_576) },
      { name: 'a:b' },
      { value: 'x\r\nNats-Msg-Id: y' },
      { id: 'x\r\ny' },
      { subject: `small.${'x'.repeat(4000)}` },
      { subject: '$JS.API.STREAM.PURGE.SMALL' },
      { subject: '_INBOX.a' },
      {},
    ]
    const letters = await publish(sink, ...cases)
    deepEqual(
      letters.sort(([a], [b]) => a - b),
      [
        [0, 'the stream rejects it: message size exceeds maximum allowed'],
        [1, "'payload' max_payload size exceeded"],
        [2, "'header' ':' is not a valid character in a header name"],
        [3, "'header' values cannot contain \\r or \\n"],
        [4, "'header' values cannot contain \\r or \\n"],
        [5, 'a subject of 4006 bytes: at most 3500 are possible'],
        [6, '"$JS.API.STREAM.PURGE.SMALL" is a subject of the server'],
        [7, '"_INBOX.a" is a subject of the server'],
      ],
    )
    equal((await messagesOf('SMALL')).length, 1)
  })

  it('gives up at once when it is aborted while the server does not answer', async () => {
    await abortsWhile(server, natsSink<Row>(url, { subject: 'letters.a' }))
  })

  it('ends at once where the user may not, and makes dead letters of where it may not publish', async () => {
    const strict = await ServerProcess.start(({ port, folder }) => {
      const users = '{ user: ann, password: right, permissions: { publish: { deny: "no.>" } } }'
      const settings = [`port: ${port}`, 'host: 127.0.0.1', `jetstream: { store_dir: "${folder}" }`]
      writeFileSync(join(folder, 'nats.conf'), [...settings, `authorization: { users: [${users}] }`, ''].join('\n'))
      return [programOf('nats-server') ?? '', '-c', join(folder, 'nats.conf')]
    })
    try {
      await refusesUser(natsSink(`nats://ann:hunter22@127.0.0.1:${strict.port}`, { subject: 'a' }))
      const ann = await connectNats({ servers: `127.0.0.1:${strict.port}`, user: 'ann', pass: 'right' })
      await (await jetstreamManager(ann)).streams.add({ name: 'ALL', subjects: ['no.>', 'yes.>'] })
      await ann.close()
      const sink = natsSink<string>(`nats://ann:right@127.0.0.1:${strict.port}`, { subject: (row) => row })
      deepEqual(await publish(sink, 'yes.a', 'no.a', 'yes.b'), [[1, 'Permissions Violation for Publish to "no.a"']])
    } finally {
      await strict.stop()
    }
  })

  it('F7: goes on by itself when the server is killed under the load', async () => {
    await streamOf('AGAIN', ['lines'])
    await overRestart(server, loadOf(url, 10_000, 'nats-restart'), async () => {
      return (await manager.streams.info('AGAIN')).state.messages > 0
    })
    const numbers = (await messagesOf('AGAIN')).map(({ data }) => Number(Buffer.from(data).toString()))
    deepEqual(
      numbers.sort((a, b) => a - b),
      upTo(10_000),
    )
    await manager.streams.delete('AGAIN')
  })

  it('F1: publishes each line over kills, once by its id', async () => {
    await streamOf('LINES', ['lines'])
    await overKills(url, 10_000, 'nats')
    const numbers = (await messagesOf('LINES')).map(({ data }) => Number(Buffer.from(data).toString()))
    deepEqual(
      numbers.sort((a, b) => a - b),
      upTo(10_000),
    )
  })
})

const NO_RABBIT = without('rabbitmq-server')
describe(`rabbitmqSink (REPRO: SEED=${SEED} npm test)`, { skip: NO_RABBIT }, () => {
  let server: ServerProcess
  let url = ''
  let client: ChannelModel
  let channel: ConfirmChannel
  before(async () => {
    server = await startRabbitmq()
    url = `amqp://127.0.0.1:${server.port}`
    client = await connectRabbit(url)
    channel = await client.createConfirmChannel()
    // Long before a test that kills the broker: what was declared just then would be gone.
    await channel.assertQueue('lines')
  })
  after(async () => {
    await client.close()
    await server.stop()
  })

  /** What is in a queue, which it stays in. */
  const messagesOf = async (queue: string) => {
    const found = []
    for (let one = await channel.get(queue); one !== false; one = await channel.get(queue)) found.push(one)
    for (const one of found) channel.nack(one)
    return found
  }

  let places = 0
  if (NO_RABBIT === false) {
    twoPhaseSinkConformance<Row>({
      name: 'a queue of RabbitMQ',
      make: async () => {
        places += 1
        const queue = `place${places}`
        await channel.assertQueue(queue)
        return {
          sink: rabbitmqSink<Row>(url, { routingKey: queue, payload }),
          visible: async () => (await messagesOf(queue)).map(({ content }) => Number(content.toString())),
        }
      },
      row: (id) => ({ id }),
      refused: { id: -1 },
      scripts: 10,
    })
  }

  it('publishes what it is told to where it is told to', async () => {
    await channel.assertExchange('orders', 'topic')
    await channel.assertQueue('german')
    await channel.bindQueue('german', 'orders', 'orders.de')
    const options: RabbitmqSinkOptions<Row> = {
      exchange: 'orders',
      routingKey: 'orders.de',
      id: ({ id }) => `order ${id}`,
      headers: () => ({ x: 'y' }),
    }
    deepEqual(await publish(rabbitmqSink<Row>(url, options), { id: 1 }), [])
    const [found] = await messagesOf('german')
    const { messageId, contentType, headers, deliveryMode } = found?.properties ?? {}
    deepEqual(
      [found?.content.toString(), messageId, contentType, { ...headers }, deliveryMode],
      ['{"id":1}', 'order 1', 'application/json', { x: 'y' }, 2],
    )
  })

  it('makes dead letters of what no queue takes, and of routing keys that are too long', async () => {
    await channel.assertQueue('taken')
    const sink = rabbitmqSink<string>(url, { routingKey: (key) => key, payload: () => 'same' })
    deepEqual(await publish(sink, 'nobody', 'taken', 'nobody', 'x'.repeat(256)), [
      [3, 'a routing key of 256 bytes: at most 255 are possible'],
      [0, 'no queue is bound for the routing key "nobody"'],
      [2, 'no queue is bound for the routing key "nobody"'],
    ])
    equal((await messagesOf('taken')).length, 1)
  })

  it('makes a dead letter of the message that came back, and not of one that differs in its headers alone', async () => {
    await channel.assertExchange('by headers', 'headers')
    await channel.assertQueue('east')
    await channel.bindQueue('east', 'by headers', '', { side: 'east', 'x-match': 'all' })
    const sink = rabbitmqSink<string>(url, {
      exchange: 'by headers',
      routingKey: '',
      payload: () => 'same',
      headers: (side) => ({ side }),
    })
    deepEqual(await publish(sink, 'east', 'west', 'east'), [[1, 'no queue is bound for the routing key ""']])
    equal((await messagesOf('east')).length, 2)
  })

  it('makes dead letters of headers that no message can have, and sends what just fits', async () => {
    await channel.assertQueue('headed')
    // The table's length, and of its only header the lengths and the type, and the name.
    const most = 64 * 1024 - 4 - 6 - 1
    const sink = rabbitmqSink<[string, number]>(url, {
      routingKey: 'headed',
      headers: ([name, size]) => ({ [name]: 'x'.repeat(size) }),
      payload: () => 'a',
    })
    deepEqual(await publish(sink, ['a', most], ['a', most + 1], ['é'.repeat(128), 1]), [
      [1, 'headers of 65537 bytes: at most 65536 are possible'],
      [2, 'a header whose name has 256 bytes: at most 255 are possible'],
    ])
    equal((await messagesOf('headed')).length, 1)
  })

  it('says that there is no such exchange, and no broker', async () => {
    await rejects(publish(rabbitmqSink<Row>(url, { exchange: 'none', routingKey: 'a' }), { id: 1 }), {
      code: 'SINK_UNREACHABLE',
      message: /NOT_FOUND/,
    })
    await unreachable(rabbitmqSink(`amqp://ann:hunter22@127.0.0.1:${await freePort()}`, { routingKey: 'a' }))
  })

  it('gives up at once when it is aborted while the broker does not answer', async () => {
    await abortsWhile(server, rabbitmqSink<Row>(url, { routingKey: 'taken' }))
  })

  it('ends at once where the user may not', async () => {
    await refusesUser(rabbitmqSink(url.replace('//', '//guest:hunter22@'), { routingKey: 'a' }))
  })

  it('makes dead letters of headers that do not go into a frame', async () => {
    const sink = rabbitmqSink<number>(url, { routingKey: 'taken', headers: (n) => ({ x: 'y'.repeat(n) }) })
    deepEqual(await publish(sink, 10, 200_000, 20), [[1, 'headers of 200011 bytes: at most 65536 are possible']])
  })

  it('F7: goes on by itself when the broker is killed under the load', async () => {
    client.on('error', () => {}) // It goes down with the broker.
    channel.on('error', () => {})
    const argv = loadOf(url, 10_000, 'rabbitmq-restart')
    await overRestart(server, argv, async () => {
      const { messageCount } = await channel.checkQueue('lines').catch(() => ({ messageCount: 0 }))
      return messageCount > 0
    })
    client = await connectRabbit(url)
    channel = await client.createConfirmChannel()
    const ids = new Set<number>()
    for (;;) {
      const one = await channel.get('lines', { noAck: true })
      if (one === false) break
      ids.add(Number(one.properties.messageId))
    }
    deepEqual(
      [...ids].sort((a, b) => a - b),
      upTo(10_000),
    )
  })

  it('F1: publishes each line over kills, with its id', async () => {
    await overKills(url, 10_000, 'rabbitmq')
    const ids = (await messagesOf('lines')).map(({ properties }) => Number(properties.messageId))
    deepEqual(
      [...new Set(ids)].sort((a, b) => a - b),
      upTo(10_000),
    )
  })
})

const NO_MQTT = without('mosquitto')
describe(`mqttSink (REPRO: SEED=${SEED} npm test)`, { skip: NO_MQTT }, () => {
  let server: ServerProcess
  let url = ''
  let client: MqttClient
  const received: { readonly topic: string; readonly text: string; readonly properties: object | undefined }[] = []
  let markers = 0
  before(async () => {
    server = await startMosquitto()
    url = `mqtt://127.0.0.1:${server.port}`
    client = await connectAsync(url, { protocolVersion: 5 })
    client.on('message', (topic, body, { properties }) => {
      received.push({ topic, text: body.toString(), properties: properties?.userProperties })
    })
    await client.subscribeAsync('#', { qos: 2 })
  })
  after(async () => {
    await client.endAsync(true)
    await server.stop()
  })

  /** What the broker gave on of a topic, and of those below it: all that it has confirmed. */
  const messagesOf = async (topic: string) => {
    markers += 1
    const marker = `marker/${markers}`
    await client.publishAsync(marker, '', { qos: 2 })
    await until(() => received.some((one) => one.topic === marker), 'the marker')
    return received.filter((one) => one.topic === topic || one.topic.startsWith(`${topic}/`))
  }

  let places = 0
  if (NO_MQTT === false) {
    for (const qos of [0, 1, 2] as const) {
      twoPhaseSinkConformance<Row>({
        name: `a topic of MQTT, QoS ${qos}`,
        make: async () => {
          places += 1
          const topic = `place${places}`
          return {
            sink: mqttSink<Row>(url, { topic, payload, qos }),
            visible: async () => (await messagesOf(topic)).map(({ text }) => Number(text)),
          }
        },
        row: (id) => ({ id }),
        refused: { id: -1 },
        scripts: 8,
      })
    }
  }

  it('publishes what it is told to where it is told to', async () => {
    const options: MqttSinkOptions<Row> = {
      topic: ({ id }) => `rooms/${id}/t`,
      headers: ({ id }) => ({ id: String(id) }),
      retain: true,
    }
    deepEqual(await publish(mqttSink<Row>(url, options), { id: 1 }, { id: 2 }), [])
    const found = (await messagesOf('rooms')).map(({ topic, text, properties }) => [topic, text, { ...properties }])
    deepEqual(found, [
      ['rooms/1/t', '{"id":1}', { id: '1' }],
      ['rooms/2/t', '{"id":2}', { id: '2' }],
    ])
  })

  it('speaks 3.1.1 where the broker does', async () => {
    const broker = await Aedes.start()
    try {
      const url3 = `mqtt://127.0.0.1:${broker.port}`
      const reader = await connectAsync(url3, { protocolVersion: 4 })
      const texts: string[] = []
      reader.on('message', (_topic, body) => texts.push(body.toString()))
      await reader.subscribeAsync('a', { qos: 1 })
      deepEqual(await publish(mqttSink<Row>(url3, { topic: 'a', payload }), ...upTo(1200).map((id) => ({ id }))), [])
      await until(() => texts.length >= 1200, 'all messages')
      deepEqual(texts.map(Number), upTo(1200))
      await reader.endAsync(true)
    } finally {
      await broker.stop()
    }
  })

  it('makes dead letters of what is no topic', async () => {
    const sink = mqttSink<string>(url, { topic: (row) => row, payload: () => 'x' })
    deepEqual(await publish(sink, 'a/+', '', 'letters/fine', 'a\0'), [
      [0, '"a/+" is not a topic to publish to'],
      [1, '"" is not a topic to publish to'],
      [3, '"a\\u0000" is not a topic to publish to'],
    ])
    equal((await messagesOf('letters')).length, 1)
  })

  it('makes dead letters of what is larger than the broker takes, by its packet', async () => {
    const small = await startMosquitto(['max_packet_size 2000'])
    try {
      const sink = mqttSink<readonly [number, number]>(`mqtt://127.0.0.1:${small.port}`, {
        topic: 'a',
        payload: ([size]) => 'x'.repeat(size),
        headers: ([, size]) => ({ x: 'y'.repeat(size) }),
      })
      deepEqual(await publish(sink, [1, 1], [2000, 1], [1, 1990], [1, 70_000], [1900, 2]), [
        [1, 'a message of 2016 bytes: the broker accepts packets of 2000'],
        [2, 'a message of 2007 bytes: the broker accepts packets of 2000'],
        [3, 'a header of 70000 bytes: at most 65535 are possible'],
      ])
    } finally {
      await small.stop()
    }
  })

  it('says what the broker has not, where the settings ask for it', async () => {
    const poor = await startMosquitto(['max_qos 1', 'retain_available false'])
    const url = `mqtt://127.0.0.1:${poor.port}`
    try {
      await rejects(publish(mqttSink<Row>(url, { topic: 'a', qos: 2 }), { id: 1 }), {
        code: 'CONFIG_INVALID',
        message: /^Cannot send messages to mqtt:\/\/.* with qos 2: the broker accepts 0 or 1$/,
      })
      await rejects(publish(mqttSink<Row>(url, { topic: 'a', retain: true }), { id: 1 }), {
        code: 'CONFIG_INVALID',
        message: /with retain true: the broker accepts false$/,
      })
    } finally {
      await poor.stop()
    }
  })

  it('ends at once where the user may not, and makes dead letters of where it may not publish', async () => {
    const strict = await startMosquitto(['acl_file rules'], { rules: 'topic readwrite yes/#\n' })
    try {
      const sink = mqttSink<string>(`mqtt://127.0.0.1:${strict.port}`, { topic: (row) => row })
      deepEqual(await publish(sink, 'yes/a'), [])
      // mosquitto 2.0.11 ends the connection after it has said so.
      deepEqual(await publish(sink, 'no/a'), [[0, 'the broker rejects it: not authorized']])
    } finally {
      await strict.stop()
    }
    const closed = await startMosquitto(['allow_anonymous false', 'password_file users'], { users: '' })
    try {
      await refusesUser(mqttSink(`mqtt://ann:hunter22@127.0.0.1:${closed.port}`, { topic: 'a' }))
    } finally {
      await closed.stop()
    }
  })

  it('gives up at once when it is aborted while the broker does not answer', async () => {
    await abortsWhile(server, mqttSink<Row>(url, { topic: 'hung' }))
  })

  for (const qos of [1, 2] as const) {
    it(`F7: goes on by itself when the broker is killed under the load, QoS ${qos}`, async () => {
      const broker = await startMosquitto()
      const at = `mqtt://127.0.0.1:${broker.port}`
      const seen = new Set<string>()
      const reader = await connectAsync(at, { clientId: 'reader', clean: false, reconnectPeriod: 20 })
      reader.on('error', () => {}) // It is killed.
      reader.on('message', (_topic, body) => seen.add(body.toString()))
      await reader.subscribeAsync('#', { qos: 1 })
      try {
        const argv = [...loadOf(at, 20_000, `mqtt-restart-${qos}`), '--param', `qos=${qos}`]
        await overRestart(broker, argv, () => seen.size > 0)
        // What the broker has confirmed, and given on to one that was away meanwhile.
        await until(() => seen.size >= 20_000, 'all lines')
      } finally {
        await reader.endAsync(true)
        await broker.stop()
      }
    })
  }

  it('says that there is no broker, or that it went away', async () => {
    await unreachable(mqttSink(`mqtt://ann:hunter22@127.0.0.1:${await freePort()}`, { topic: 'a' }))
    const broker = await Aedes.start()
    const sink = mqttSink<Row>(`mqtt://127.0.0.1:${broker.port}`, { topic: 'a' })
    const writer = await sink.open({ pipeline: 'test', epoch: 0, note: undefined })
    await broker.stop()
    await rejects(async () => await writer.write(batchOfTracked([event({ id: 1 })])), { code: 'SINK_LOST' })
    await writer.close()
  })

  it('F1: publishes each line over kills', async () => {
    await overKills(url, 10_000, 'mqtt')
    const numbers = (await messagesOf('lines')).map(({ text }) => Number(text))
    deepEqual(
      [...new Set(numbers)].sort((a, b) => a - b),
      upTo(10_000),
    )
  })
})

describe('sinks that publish', () => {
  it('refuse what does not fit', () => {
    throws(() => natsSink('http://x', { subject: 'a' }), { code: 'CONFIG_INVALID' })
    throws(() => natsSink('nats://x', { subject: 'a', id: 7 as never }), /id must be a function/)
    throws(() => mqttSink('mqtt://x', { topic: 'a', qos: 3 as never }), RangeError)
    throws(() => rabbitmqSink('amqp://x', { routingKey: 'a', exchange: 7 as never }), { code: 'CONFIG_INVALID' })
    throws(() => rabbitmqSink('amqp://x', { routingKey: 'a', queue: 'b' } as never), /no option queue/)
  })
})

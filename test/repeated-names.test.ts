import { deepEqual, equal } from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect as connectRabbit } from 'amqplib'
import { connectAsync } from 'mqtt'
import { createClient } from 'redis'
import { form, type NamedTexts, type Source, type TwoPhaseSink, textLines, webhookSource } from 'sluice'
import { kafkaSink, kafkaSource } from 'sluice/kafka'
import { mqttSink, mqttSource } from 'sluice/mqtt'
import { natsSink, natsSource } from 'sluice/nats'
import { type RabbitmqMeta, rabbitmqSink, rabbitmqSource } from 'sluice/rabbitmq'
import { redisStreamSink, redisStreamSource } from 'sluice/redis'
import { batchOf } from '../src/connect/batch.ts'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { type ServerProcess, startMosquitto, startNats, startRabbitmq, startRedis, without } from './support/brokers.ts'
import { KafkaServers, withoutKafka } from './support/kafka.ts'
import { publish } from './support/publishing.ts'
import { take } from './support/take.ts'

/** A body, and the texts that go with it. */
interface Row {
  readonly body: string
  readonly texts: NamedTexts
}

const PLAIN: NamedTexts = { one: 'x', tag: ['new', 'paid', 'new'] }
/** With a name that every object inherits, and a text of nothing. */
const TEXTS: NamedTexts = { ...PLAIN, ['__proto__']: ['', 'kept'] }
const rowsOf = (texts: NamedTexts): readonly Row[] => [
  { body: 'several', texts },
  { body: 'lists of one and of none', texts: { one: ['x'], none: [] } },
  { body: 'nothing', texts: {} },
]
const readOf = (texts: NamedTexts): readonly NamedTexts[] => [texts, { one: 'x' }, {}]

const payload = ({ body }: Row): string => body
const headers = ({ texts }: Row): NamedTexts => texts
const textsOf = (_body: string, meta: { readonly headers: NamedTexts }): NamedTexts => meta.headers

async function reading<T>(source: Source<T>, send: () => Promise<unknown>): Promise<unknown[]> {
  const reader = await source.open({ id: source.title }, undefined)
  try {
    await send()
    return await take(reader, 3)
  } finally {
    await reader.close()
  }
}

async function sent(sink: TwoPhaseSink<Row>, texts = TEXTS): Promise<void> {
  deepEqual(await publish(sink, ...rowsOf(texts)), [])
}

/** Names as own properties, whatever an object inherits. */
const shown = (texts: NamedTexts): unknown => Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1))
const sameTexts = (found: readonly unknown[], expected: readonly NamedTexts[] = readOf(TEXTS)) =>
  deepEqual((found as readonly NamedTexts[]).map(shown), expected.map(shown))

describe('names that come several times', () => {
  describe('headers of Kafka', { skip: withoutKafka() }, () => {
    let servers: KafkaServers
    before(async () => {
      servers = await KafkaServers.start(1)
    })
    after(() => servers.stop())

    it('R50: keep all their texts, published and read', async () => {
      const topic = `names-${process.pid}-${Date.now()}`
      await servers.topic(topic)
      const source = kafkaSource(servers.urls, textLines(), { topic, event: textsOf })
      sameTexts(await reading(source, () => sent(kafkaSink<Row>(servers.urls, { topic, payload, headers }))))
      const [first] = await servers.consume(topic, '%h')
      equal(first, 'one=x,tag=new,tag=paid,tag=new,__proto__=,__proto__=kept')
    })

    it('R50: keep all texts that another client gave them', async () => {
      const topic = `others-${process.pid}-${Date.now()}`
      await servers.topic(topic)
      await servers.produce(topic, ['a'], ['-H', 'tag=new', '-H', 'one=x', '-H', 'tag=paid'])
      const reader = await kafkaSource(servers.urls, textLines(), { topic, event: textsOf }).open({ id: '' }, undefined)
      sameTexts(await take(reader, 1), [{ one: 'x', tag: ['new', 'paid'] }])
      await reader.close()
    })
  })

  describe('headers of NATS', { skip: without('nats-server') }, () => {
    let server: ServerProcess
    before(async () => {
      server = await startNats()
    })
    after(() => server.stop())

    it('R50: keep all their texts, published and read', async () => {
      const url = `nats://127.0.0.1:${server.port}`
      const client = await connectNats({ servers: url })
      const manager = await jetstreamManager(client)
      await manager.streams.add({ name: 'NAMES', subjects: ['names'] })
      const source = natsSource(url, textLines(), { stream: 'NAMES', event: textsOf })
      sameTexts(await reading(source, () => sent(natsSink<Row>(url, { subject: 'names', payload, headers }))))
      const message = await manager.streams.getMessage('NAMES', { seq: 1 })
      deepEqual(message?.header.values('tag'), ['new', 'paid', 'new'])
      await client.close()
    })
  })

  describe('headers of RabbitMQ', { skip: without('rabbitmq-server') }, () => {
    let server: ServerProcess
    before(async () => {
      server = await startRabbitmq()
    })
    after(() => server.stop())

    it('R50: keep all their texts as a list, published and read', async () => {
      const url = `amqp://127.0.0.1:${server.port}`
      const client = await connectRabbit(url)
      const channel = await client.createConfirmChannel()
      await channel.assertQueue('names')
      const sink = rabbitmqSink<Row>(url, { routingKey: 'names', payload, headers })
      deepEqual(await publish(sink, { body: '', texts: TEXTS }), [])
      const message = await channel.get('names', { noAck: true })
      deepEqual(message === false ? undefined : message.properties.headers?.tag, ['new', 'paid', 'new'])
      const event = (_body: string, meta: RabbitmqMeta) => meta.headers
      const source = rabbitmqSource(url, textLines(), { queue: 'names', event })
      // The client that decodes tables takes `__proto__` for what every object inherits.
      sameTexts(await reading(source, () => sent(sink, PLAIN)), readOf(PLAIN))
      await client.close()
    })

    it('R50: are told from others when the broker gives a message back', async () => {
      const url = `amqp://127.0.0.1:${server.port}`
      const options = { routingKey: ({ body }: Row) => body, payload: () => 'the same', headers }
      const rows = [
        { body: 'names', texts: { tag: ['a', 'b'] } },
        { body: 'nowhere', texts: { tag: ['a', 'c'] } },
      ]
      deepEqual(await publish(rabbitmqSink<Row>(url, options), ...rows), [
        [1, 'no queue is bound for the routing key "nowhere"'],
      ])
    })
  })

  describe('user properties of MQTT', { skip: without('mosquitto') }, () => {
    let server: ServerProcess
    before(async () => {
      server = await startMosquitto()
    })
    after(() => server.stop())

    it('R50: keep all their texts, published and read', async () => {
      const url = `mqtt://127.0.0.1:${server.port}`
      const source = mqttSource(url, textLines(), { topics: 'names', clientId: 'names', event: textsOf })
      const client = await connectAsync(url, { protocolVersion: 5 })
      const seen: unknown[] = []
      client.on('message', (_topic, _body, { properties }) => seen.push(properties?.userProperties?.tag))
      await client.subscribeAsync('names')
      const sink = mqttSink<Row>(url, { topic: 'names', payload, headers })
      // The parser of packets takes a text of nothing for none.
      sameTexts(await reading(source, () => sent(sink, PLAIN)), readOf(PLAIN))
      await client.endAsync()
      deepEqual(seen[0], ['new', 'paid', 'new'])
    })
  })

  describe('fields of Redis', { skip: without('redis-server') }, () => {
    let server: ServerProcess
    let url = ''
    before(async () => {
      server = await startRedis()
      url = `redis://127.0.0.1:${server.port}`
    })
    after(() => server.stop())

    it('R50: keep all their texts, published and read', async () => {
      const client = await createClient({ url }).connect()
      const sink = redisStreamSink<Row>(url, {
        stream: 'names',
        fields: ({ body, texts }) => ({ data: body, ...texts }),
      })
      const writer = await sink.open({ pipeline: 'test', epoch: 0, note: undefined })
      await writer.write(batchOf(rowsOf(TEXTS)))
      await writer.publish(await writer.prepare(1))
      await writer.close()
      const [entry] = (await client.sendCommand(['XRANGE', 'names', '-', '+'])) as unknown as [string, string[]][]
      const pairs = ['one', 'x', 'tag', 'new', 'tag', 'paid', 'tag', 'new', '__proto__', '', '__proto__', 'kept']
      deepEqual(entry?.[1].slice(2), pairs)
      const source = redisStreamSource(url, textLines(), { stream: 'names', event: (_body, { fields }) => fields })
      sameTexts(await reading(source, async () => {}), [
        { data: 'several', ...TEXTS },
        { data: 'lists of one and of none', one: 'x' },
        { data: 'nothing' },
      ])
      client.destroy()
    })

    it('R51: an entry whose body comes several times is a dead letter with all of them', async () => {
      const client = await createClient({ url }).connect()
      await client.sendCommand(['XADD', 'bodies', '1-1', 'data', 'a', 'data', 'b', 'x', 'y'])
      const reader = await redisStreamSource(url, textLines(), { stream: 'bodies' }).open({ id: '' }, undefined)
      const [entry] = (await readEntries(reader, 1)) ?? []
      equal(entry?.kind === 'dead' ? entry.reason : '', 'entry 1-1 has 2 fields "data"')
      equal(entry?.origin.raw, '{"data":["a","b"],"x":"y"}')
      await reader.close()
      client.destroy()
    })
  })

  it('R50: headers, query and form of a webhook keep all their texts', async () => {
    const port = Promise.withResolvers<number>()
    const source = webhookSource(
      {
        port: 0,
        onListening: port.resolve,
        event: (fields, { query, headers: own }) => ({
          fields,
          query,
          headers: { tag: own.tag ?? '', one: own.one ?? '' },
        }),
      },
      form(),
    )
    const reader = await source.open({ id: '' }, undefined)
    const asking = request({ port: await port.promise, path: '/?a=1&b=2&a=%E2%82%AC+x&c', method: 'POST' })
    asking.on('error', () => {}) // It is sent away at the end.
    asking.setHeader('tag', ['new', 'paid']).setHeader('one', 'x')
    asking.end('item=tea&item=ink&sum=9')
    deepEqual(await take(reader, 1), [
      {
        fields: { item: ['tea', 'ink'], sum: '9' },
        query: { a: ['1', '€ x'], b: '2', c: '' },
        headers: { tag: ['new', 'paid'], one: 'x' },
      },
    ])
    await reader.close()
  })
})

import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type KafkaSinkOptions, kafkaSink } from 'sluice/kafka'
import { twoPhaseSinkConformance } from 'sluice/testing'
import { batchOfTracked } from '../src/connect/batch.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { freePort } from './support/brokers.ts'
import { sluice } from './support/cli.ts'
import { KafkaServers, withoutKafka, withoutMock } from './support/kafka.ts'
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

const folder = tempFolder('sluice-kafka-publish-')

let places = 0
const newTopic = () => {
  places += 1
  return `to${places}-${process.pid}-${Date.now()}`
}
const numbersOf = async (servers: KafkaServers, topic: string) => (await servers.consume(topic, '%s')).map(Number)

const loadOf = (servers: KafkaServers, count: number, name: string) => {
  return publishLines(folder, servers.urls.join(' '), count, name)
}

/** Every line is there, some perhaps more than once. */
async function checkLines(servers: KafkaServers, count: number): Promise<void> {
  const numbers = await numbersOf(servers, 'lines')
  deepEqual(
    [...new Set(numbers)].sort((a, b) => a - b),
    upTo(count),
  )
}

const NO_KAFKA = withoutKafka()
describe(`kafkaSink (REPRO: SEED=${SEED} npm test)`, { skip: NO_KAFKA }, () => {
  let servers: KafkaServers
  before(async () => {
    servers = await KafkaServers.start(2)
  })
  after(() => servers.stop())

  if (NO_KAFKA === false) {
    twoPhaseSinkConformance<Row>({
      name: 'a topic of Kafka',
      make: async () => {
        const topic = newTopic()
        await servers.topic(topic)
        return {
          sink: kafkaSink<Row>(servers.urls, { topic, payload }),
          visible: () => numbersOf(servers, topic),
        }
      },
      row: (id) => ({ id }),
      refused: { id: -1 },
      scripts: 5,
    })
  }

  it('publishes what it is told to where it is told to', async () => {
    const [german, french] = [newTopic(), newTopic()]
    for (const topic of [german, french]) await servers.topic(topic)
    const options: KafkaSinkOptions<Row> = {
      topic: ({ id }) => (id % 2 === 0 ? german : french),
      key: ({ id }) => `key ${id}`,
      headers: ({ id }) => ({ 'x-id': String(id) }),
    }
    deepEqual(await publish(kafkaSink<Row>(servers.urls, options), { id: 1 }, { id: 2 }, { id: 3 }), [])
    deepEqual(await servers.consume(french, '%k %s %h'), ['key 1 {"id":1} x-id=1', 'key 3 {"id":3} x-id=3'])
    deepEqual(await servers.consume(german, '%k %s %h'), ['key 2 {"id":2} x-id=2'])
  })

  it('puts keys where other clients put them, and rows without one everywhere', async () => {
    const [ours, theirs] = [newTopic(), newTopic()]
    for (const topic of [ours, theirs]) await servers.topic(topic, 7)
    const keys = upTo(60).map((n) => `key-${n * 7919}-${'ü'.repeat(n % 5)}`)
    const sink = kafkaSink<string>(servers.urls, { topic: ours, key: (text) => text, payload: () => 'x' })
    deepEqual(await publish(sink, ...keys), [])
    const how = ['-K', ':', '-X', 'partitioner=murmur2']
    await servers.produce(
      theirs,
      keys.map((key) => `${key}:x`),
      how,
    )
    const places = async (topic: string) => (await servers.consume(topic, '%p %k')).sort()
    deepEqual(await places(ours), await places(theirs))
    const all = newTopic()
    await servers.topic(all, 3)
    const writer = await kafkaSink<Row>(servers.urls, { topic: all, payload }).open({
      pipeline: 'test',
      epoch: 0,
      note: undefined,
    })
    for (const id of upTo(6)) await writer.write(batchOfTracked([event({ id })]))
    await writer.close()
    deepEqual((await servers.consume(all, '%p')).sort(), ['0', '0', '1', '1', '2', '2'])
  })

  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    it(`packs records as other clients read them: ${compression}`, async () => {
      const topic = newTopic()
      await servers.topic(topic)
      const rows = upTo(300).map((n) => `${n} ${'x'.repeat(n)}`)
      const sink = kafkaSink<string>(servers.urls, { topic, payload: String, compression })
      deepEqual(await publish(sink, ...rows), [])
      deepEqual(await servers.consume(topic, '%s'), rows)
    })
  }

  it('keeps the order of what is more than one batch holds', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const rows = upTo(40).map((n) => `${n} ${'x'.repeat(100_000)}`)
    deepEqual(await publish(kafkaSink<string>(servers.urls, { topic, payload: String }), ...rows), [])
    const found = await servers.consume(topic, '%s')
    deepEqual(
      found.map((text) => Number.parseInt(text, 10)),
      upTo(40),
    )
  })

  it('makes dead letters of what goes nowhere, or has no body or key', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const sink = kafkaSink<unknown>(servers.urls, {
      topic: (row) => (row === 'where' ? 'no topic' : topic),
      payload: (row) => row as string,
      key: (row) => (row === 'key' ? (7 as unknown as string) : 'k'),
    })
    deepEqual(await publish(sink, 'where', 7, 'key', 'fine'), [
      [0, '"no topic" is not a topic'],
      [1, 'payload must return a text or bytes: found 7'],
      [2, 'key must return a text or bytes: found 7'],
    ])
    deepEqual(await servers.consume(topic, '%s'), ['fine'])
  })

  it('says that there is no server, and shows no password', async () => {
    await unreachable(kafkaSink(`kafka://ann:hunter22@127.0.0.1:${await freePort()}`, { topic: 'a' }))
    throws(() => kafkaSink('kafka://a', { topic: 'a b' }), { code: 'CONFIG_INVALID' })
    throws(() => kafkaSink('kafka://a', { topic: 'a', compression: 'rar' as 'gzip' }), RangeError)
  })

  it('F1: publishes each line over kills', async () => {
    await servers.topic('lines', 3)
    await runOverKills(loadOf(servers, 10_000, 'killed'), randomOf('kafka publish'))
    await checkLines(servers, 10_000)
  })
})

/** Codes of the protocol. */
const PRODUCE = 0

describe('kafkaSink, out of order', { skip: withoutMock() }, () => {
  let servers: KafkaServers
  before(async () => {
    servers = await KafkaServers.start(2)
  })
  after(() => servers.stop())

  it('makes dead letters of the records that the topic refuses, and of no others', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const sink = kafkaSink<string>(servers.urls, { topic, payload: String })
    // All four, the first two, the first of them: too large. The second, and both others: fine.
    await servers.ask({ kind: 'errors', api: PRODUCE, codes: [10, 10, 10] })
    deepEqual(await publish(sink, 'one', 'two', 'three', 'four'), [
      [0, `partition 0 of topic ${topic}: the record is too large`],
    ])
    deepEqual(await servers.consume(topic, '%s'), ['two', 'three', 'four'])
  })

  it('follows a partition to another server, and waits for one that has no leader for a moment', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const sink = kafkaSink<string>(servers.urls, { topic, payload: String })
    const writer = await sink.open({ pipeline: 'test', epoch: 0, note: undefined })
    for (const server of [1, 2, 1, -1]) {
      await servers.ask({ kind: 'leader', topic, partition: 0, server })
      if (server < 0) setTimeout(() => void servers.ask({ kind: 'leader', topic, partition: 0, server: 2 }), 100)
      deepEqual(await writer.write(batchOfTracked([event(`at ${server}`)])), [])
    }
    await writer.close()
    deepEqual(await servers.consume(topic, '%s'), ['at 1', 'at 2', 'at 1', 'at -1'])
  })

  it('says that there is no topic, as one may come, and ends at once where the user may not', async () => {
    const [missing, forbidden] = [newTopic(), newTopic()]
    await servers.ask({ kind: 'topic-error', topic: missing, code: 3 })
    await servers.ask({ kind: 'topic-error', topic: forbidden, code: 29 })
    await rejects(publish(kafkaSink<Row>(servers.urls, { topic: missing }), { id: 1 }), {
      code: 'SINK_LOST',
      message: /^Cannot send messages to kafka:\S+: topic \S+: there is no such topic or partition$/,
    })
    await rejects(publish(kafkaSink<Row>(servers.urls, { topic: forbidden }), { id: 1 }), {
      code: 'SINK_UNREACHABLE',
      message: /: topic \S+: the user may not use the topic$/,
    })
  })

  it('gives up at once when it is aborted while the servers answer nothing', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    await abortsWhile(servers, kafkaSink<Row>(servers.urls, { topic }))
  })

  it('F7: goes on by itself when the servers are gone under the load', async () => {
    await servers.topic('lines', 3)
    let isOver = false
    let wentDown = false
    let said = ''
    const breaking = (async () => {
      await until(async () => isOver || (await servers.consume('lines', '%s')).length > 0, 'the first messages')
      if (isOver) return
      for (const server of [1, 2]) await servers.ask({ kind: 'down', server })
      wentDown = true
      await until(() => isOver || said.includes('trying again'), 'word of the loss')
      for (const server of [1, 2]) await servers.ask({ kind: 'up', server })
    })()
    const { code, stderr } = await sluice(loadOf(servers, 40_000, 'restarted'), {
      onStart: (child) => {
        child.stderr?.on('data', (text: string) => {
          said += text
        })
      },
    })
    isOver = true
    await breaking
    equal(code, 0, stderr)
    ok(wentDown, 'the servers were gone before the load was over')
    await checkLines(servers, 40_000)
  })
})

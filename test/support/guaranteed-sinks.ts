// The sinks that the table of guarantees speaks of, with the servers that they need.

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Writable } from 'node:stream'
import { DuckDBInstance } from '@duckdb/node-api'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats, type NatsConnection } from '@nats-io/transport-node'
import { type ChannelModel, type ConfirmChannel, connect as connectRabbit } from 'amqplib'
import { connectAsync, type MqttClient } from 'mqtt'
import { createClient } from 'redis'
import * as sluice from 'sluice'
import { duckdbSink } from 'sluice/duckdb'
import { kafkaSink } from 'sluice/kafka'
import { mqttSink } from 'sluice/mqtt'
import { natsSink } from 'sluice/nats'
import { postgresSink } from 'sluice/postgres'
import { rabbitmqSink } from 'sluice/rabbitmq'
import { redisStreamSink } from 'sluice/redis'
import { type ServerProcess, startMosquitto, startNats, startRabbitmq, startRedis, without } from './brokers.ts'
import { KafkaServers, withoutKafka } from './kafka.ts'
import { idsIn } from './part-files.ts'
import { missingPostgres, PostgresServer } from './postgres.ts'
import { until } from './until.ts'

export interface Row {
  readonly id: number
}

/** Where one test puts what it reads and writes. */
export interface Place {
  readonly folder: string
  /** The database of the PostgreSQL server that is its own. */
  readonly database: string
}

/** A sink of rows, and all the ids that it took, in whatever order and however often. */
export interface SinkFamily {
  readonly needsPostgres?: boolean
  /** Why it cannot be tested here; false where it can. */
  readonly without?: string | false
  /** How it is called where rows are piped in; absent where another of its kind stands for it. */
  readonly piped?: string
  /** Where it is, for those that are piped into. */
  url?(place: Place): string
  /** Makes what must be there before the first run. */
  prepare?(place: Place): Promise<unknown>
  make(place: Place): sluice.Sink<Row>
  taken(place: Place): readonly number[] | Promise<readonly number[]>
}

export const urlOf = (of: Server): string => `http://127.0.0.1:${(of.address() as AddressInfo).port}`

/** Folder → what came out, over all runs. */
const out = new Map<string, number[]>()
export const outOf = ({ folder }: Place): number[] => out.get(folder) ?? out.set(folder, []).get(folder) ?? []

const NAMES = ['redis-server', 'nats-server', 'rabbitmq-server', 'mosquitto'] as const
const LACKS = Object.fromEntries(NAMES.map((name) => [name, without(name)])) as Record<
  (typeof NAMES)[number],
  string | false
>

/** Servers for all of these sinks, and clients that look at what is in them. */
export class GuaranteedServers {
  postgres!: PostgresServer
  rows!: Server
  /** Path of a request to the server of rows → the rows that it took, by id. */
  readonly kept = new Map<string, number[]>()
  kafka!: KafkaServers
  redis!: ReturnType<typeof createClient>
  nats!: JetStreamManager
  rabbit!: ConfirmChannel
  mqtt!: MqttClient
  /** Topic → what was published there. */
  readonly published = new Map<string, string[]>()
  readonly #ends: (() => unknown)[] = []
  readonly #processes: Record<string, ServerProcess> = {}

  async start(): Promise<void> {
    this.rows = createServer(async (request, response) => {
      let body = ''
      for await (const text of request.setEncoding('utf8')) body += text
      const ids = JSON.parse(body).map(({ id }: Row) => id)
      this.kept.set(request.url ?? '', [...(this.kept.get(request.url ?? '') ?? []), ...ids])
      response.end()
    }).listen(0, '127.0.0.1')
    await once(this.rows, 'listening')
    await Promise.all([
      this.#startPostgres(),
      this.#startKafka(),
      this.#process('redis-server', startRedis, async (address) => {
        this.redis = createClient({ url: `redis://${address}` })
        await this.redis.connect()
        this.#ends.push(() => this.redis.destroy())
      }),
      this.#process('nats-server', startNats, async (address) => {
        const client: NatsConnection = await connectNats({ servers: address })
        this.nats = await jetstreamManager(client)
        this.#ends.push(() => client.close())
      }),
      this.#process('rabbitmq-server', startRabbitmq, async (address) => {
        const client: ChannelModel = await connectRabbit(`amqp://${address}`)
        this.rabbit = await client.createConfirmChannel()
        this.#ends.push(() => client.close())
      }),
      this.#process('mosquitto', startMosquitto, async (address) => {
        this.mqtt = await connectAsync(`mqtt://${address}`)
        this.mqtt.on('message', (topic, body) => {
          this.published.set(topic, [...(this.published.get(topic) ?? []), body.toString()])
        })
        await this.mqtt.subscribeAsync('#', { qos: 1 })
        this.#ends.push(() => this.mqtt.endAsync(true))
      }),
    ])
  }

  /** Host and port of a server. */
  address(name: (typeof NAMES)[number]): string {
    return `127.0.0.1:${this.#processes[name]?.port}`
  }

  async stop(): Promise<void> {
    this.rows.close()
    this.rows.closeAllConnections()
    for (const end of this.#ends) await end()
    await Promise.all(Object.values(this.#processes).map((process) => process.stop()))
  }

  async #startPostgres(): Promise<void> {
    if (missingPostgres() !== false) return
    this.postgres = await PostgresServer.start()
    this.#ends.push(() => this.postgres.stop())
  }

  async #startKafka(): Promise<void> {
    if (withoutKafka() !== false) return
    this.kafka = await KafkaServers.start()
    this.#ends.push(() => this.kafka.stop())
  }

  async #process(
    name: (typeof NAMES)[number],
    start: () => Promise<ServerProcess>,
    connect: (address: string) => Promise<void>,
  ): Promise<void> {
    if (LACKS[name] !== false) return
    this.#processes[name] = await start()
    await connect(this.address(name))
  }
}

const COLUMNS = { id: 'integer' } as const

/** The head of a column of the table → the sinks that it speaks of. */
export function guaranteedSinks(
  servers: GuaranteedServers,
): Readonly<Record<string, Readonly<Record<string, SinkFamily>>>> {
  return {
    'transactional sink (SQLite, DuckDB, PostgreSQL)': transactional(servers),
    'part files': PARTS,
    'key-value, HTTP with keys': keyed(servers),
    '`redisStreamSink`': redis(servers),
    'other brokers (Kafka, NATS, RabbitMQ, MQTT)': brokers(servers),
    'stdout, functions': PLAIN,
  }
}

const transactional = (servers: GuaranteedServers): Readonly<Record<string, SinkFamily>> => ({
  sqlite: {
    piped: 'sqlite',
    make: ({ folder }) => sluice.sqliteSink(join(folder, 'out.db'), { table: 't', columns: COLUMNS }),
    taken: ({ folder }) => {
      const db = new DatabaseSync(join(folder, 'out.db'), { readOnly: true })
      const found = db.prepare('select id from t').all()
      db.close()
      return found.map(({ id }) => Number(id))
    },
  },
  duckdb: {
    make: ({ folder }) => duckdbSink(join(folder, 'out.duckdb'), { table: 't', columns: COLUMNS }),
    taken: async ({ folder }) => {
      const instance = await DuckDBInstance.create(join(folder, 'out.duckdb'))
      const connection = await instance.connect()
      const found = (await connection.runAndReadAll('select id from t')).getRows()
      connection.closeSync()
      instance.closeSync()
      return found.map(([id]) => Number(id))
    },
  },
  postgres: {
    needsPostgres: true,
    make: ({ database }) => postgresSink(servers.postgres.url(database), { table: 't', columns: COLUMNS }),
    taken: async ({ database }) => {
      return (await servers.postgres.query(database, 'select id from t')).map(({ id }) => Number(id))
    },
  },
})

const PARTS: Readonly<Record<string, SinkFamily>> = {
  ndjsonSink: {
    piped: 'ndjsonSink',
    make: ({ folder }) =>
      sluice.ndjsonSink(join(folder, 'out'), { partitionBy: ({ id }) => String(id % 2), roll: { rows: 9 } }),
    // By the manifest, and all that can be seen is named there.
    taken: ({ folder }) => idsIn(join(folder, 'out')),
  },
}

const stored = (sink: sluice.TwoPhaseSink<Row>, { folder }: Place): sluice.Sink<Row> => {
  return sluice.checkpointed(sink, { store: join(folder, 'state.db') })
}

const keyed = (servers: GuaranteedServers): Readonly<Record<string, SinkFamily>> => ({
  http: {
    piped: 'http',
    url: ({ folder }) => urlOf(servers.rows) + folder,
    make: (place) => stored(sluice.httpSink(urlOf(servers.rows) + place.folder, { batchRows: 5 }), place),
    taken: ({ folder }) => servers.kept.get(folder) ?? [],
  },
})

/** What a stream, a queue or a topic is called that is a place's own. */
const nameOf = ({ folder }: Place): string => basename(folder)
const idOf = (json: string): number => JSON.parse(json).id

const redis = (servers: GuaranteedServers): Readonly<Record<string, SinkFamily>> => {
  const url = (): string => `redis://${servers.address('redis-server')}`
  return {
    redisStreamSink: {
      without: LACKS['redis-server'],
      piped: 'redisStreamSink',
      url,
      make: (place) => stored(redisStreamSink<Row>(url(), { stream: nameOf(place) }), place),
      taken: async (place) => {
        const entries = (await servers.redis.xRange(nameOf(place), '-', '+')) ?? []
        return entries.map(({ message }) => idOf(message.data ?? ''))
      },
    },
  }
}

const brokers = (servers: GuaranteedServers): Readonly<Record<string, SinkFamily>> => ({
  kafkaSink: {
    without: withoutKafka(),
    prepare: (place) => servers.kafka.topic(nameOf(place), 2),
    make: (place) => stored(kafkaSink<Row>(servers.kafka.urls, { topic: nameOf(place) }), place),
    taken: async (place) => (await servers.kafka.consume(nameOf(place), '%s')).map(idOf),
  },
  natsSink: {
    without: LACKS['nats-server'],
    piped: 'natsSink',
    url: () => `nats://${servers.address('nats-server')}`,
    prepare: (place) => servers.nats.streams.add({ name: nameOf(place), subjects: [nameOf(place)] }),
    // Without an id: what comes again is seen again.
    make: (place) => {
      return stored(natsSink<Row>(`nats://${servers.address('nats-server')}`, { subject: nameOf(place) }), place)
    },
    taken: async (place) => {
      const { state } = await servers.nats.streams.info(nameOf(place))
      const ids: number[] = []
      for (let seq = 1; seq <= state.last_seq; seq += 1) {
        const message = await servers.nats.streams.getMessage(nameOf(place), { seq })
        if (message !== null) ids.push(idOf(Buffer.from(message.data).toString()))
      }
      return ids
    },
  },
  rabbitmqSink: {
    without: LACKS['rabbitmq-server'],
    prepare: (place) => servers.rabbit.assertQueue(nameOf(place)),
    make: (place) => {
      const url = `amqp://${servers.address('rabbitmq-server')}`
      return stored(rabbitmqSink<Row>(url, { routingKey: nameOf(place) }), place)
    },
    taken: async (place) => {
      const ids: number[] = []
      for (;;) {
        const message = await servers.rabbit.get(nameOf(place), { noAck: true })
        if (message === false) return ids
        ids.push(idOf(message.content.toString()))
      }
    },
  },
  mqttSink: {
    without: LACKS.mosquitto,
    make: (place) => {
      return stored(mqttSink<Row>(`mqtt://${servers.address('mosquitto')}`, { topic: nameOf(place) }), place)
    },
    taken: async (place) => {
      // Messages come in their order: all before this one are there when it is.
      const last = `${nameOf(place)}/last`
      await servers.mqtt.publishAsync(last, '', { qos: 1 })
      await until(() => servers.published.has(last), 'the last message')
      return (servers.published.get(nameOf(place)) ?? []).map(idOf)
    },
  },
})

const PLAIN: Readonly<Record<string, SinkFamily>> = {
  stdout: {
    piped: 'stdout',
    make: (place) => {
      const output = new Writable({
        write: (line: Buffer, _encoding, done) => {
          for (const one of line.toString().split('\n')) if (one !== '') outOf(place).push(JSON.parse(one).id)
          done()
        },
      })
      return stored(sluice.stdoutSink(undefined, { output }), place)
    },
    taken: outOf,
  },
  callbackSink: {
    make: (place) => {
      const take = async (batch: readonly Row[]): Promise<void> => void outOf(place).push(...batch.map(({ id }) => id))
      return stored(sluice.callbackSink('take', take), place)
    },
    taken: outOf,
  },
}

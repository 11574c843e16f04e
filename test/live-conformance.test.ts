import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats, type NatsConnection } from '@nats-io/transport-node'
import { type ChannelModel, type ConfirmChannel, connect as connectRabbit } from 'amqplib'
import { connectAsync, type MqttClient } from 'mqtt'
import { createClient } from 'redis'
import { sseSource, syslogSource, textLines, webhookSource } from 'sluice'
import { kafkaSource } from 'sluice/kafka'
import { mqttSource } from 'sluice/mqtt'
import { natsSource } from 'sluice/nats'
import { rabbitmqSource } from 'sluice/rabbitmq'
import { redisStreamSource } from 'sluice/redis'
import { liveSourceConformance } from 'sluice/testing'
import { webSocketSource } from 'sluice/websocket'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  freePort,
  type ServerProcess,
  startMosquitto,
  startNats,
  startRabbitmq,
  startRedis,
  without,
} from './support/brokers.ts'
import { KafkaServers, withoutKafka } from './support/kafka.ts'
import { until } from './support/until.ts'

const names = ['mosquitto', 'redis-server', 'nats-server', 'rabbitmq-server'] as const
const has = Object.fromEntries(names.map((name) => [name, without(name) === false])) as Record<
  (typeof names)[number],
  boolean
>
const servers: ServerProcess[] = []
const ends: (() => Promise<unknown> | unknown)[] = []
const started = async (starting: Promise<ServerProcess>) => {
  const server = await starting
  servers.push(server)
  return server.port
}
after(async () => {
  for (const end of ends) await end()
  for (const server of servers) await server.stop()
})

let sent = 0
const next = (count: number): string[] =>
  Array.from({ length: count }, () => {
    sent += 1
    return `message ${sent}`
  })
let places = 0
const newName = () => {
  places += 1
  return `place${places}`
}

if (has.mosquitto) {
  let url = ''
  let client: MqttClient
  before(async () => {
    url = `mqtt://127.0.0.1:${await started(startMosquitto())}`
    client = await connectAsync(url)
    ends.push(() => client.endAsync(true))
  })
  for (const qos of [1, 2] as const) {
    liveSourceConformance({
      name: `MQTT, QoS ${qos},`,
      make: () => {
        const name = newName()
        const source = mqttSource(url, textLines(), { topics: name, clientId: name, qos })
        const send = async (count: number) => {
          const texts = next(count)
          // One after the other: mosquitto loses messages of QoS 2 beyond twenty at a time, and says that it has them.
          for (const text of texts) await client.publishAsync(name, text, { qos })
          return texts
        }
        return { source, send }
      },
    })
  }
}

if (has['redis-server']) {
  let url = ''
  let client: ReturnType<typeof createClient>
  before(async () => {
    url = `redis://127.0.0.1:${await started(startRedis())}`
    client = createClient({ url })
    await client.connect()
    ends.push(() => client.destroy())
  })
  for (const group of [undefined, 'readers']) {
    liveSourceConformance({
      name: `a Redis stream${group === undefined ? '' : ' by a group'}`,
      make: () => {
        const stream = newName()
        const source = redisStreamSource(url, textLines(), { stream, ...(group === undefined ? {} : { group }) })
        const send = async (count: number) => {
          const texts = next(count)
          for (const data of texts) await client.xAdd(stream, '*', { data })
          return texts
        }
        return { source, send }
      },
    })
  }
}

if (has['nats-server']) {
  let url = ''
  let client: NatsConnection
  let manager: JetStreamManager
  before(async () => {
    url = `nats://127.0.0.1:${await started(startNats())}`
    client = await connectNats({ servers: url })
    manager = await jetstreamManager(client)
    ends.push(() => client.close())
  })
  liveSourceConformance({
    name: 'a NATS stream',
    make: async () => {
      const name = newName()
      await manager.streams.add({ name, subjects: [name] })
      const send = async (count: number) => {
        const texts = next(count)
        for (const text of texts) await manager.jetstream().publish(name, text)
        return texts
      }
      return { source: natsSource(url, textLines(), { stream: name }), send }
    },
  })
}

if (withoutKafka() === false) {
  let cluster: KafkaServers
  before(async () => {
    cluster = await KafkaServers.start(2)
    ends.push(() => cluster.stop())
  })
  for (const group of [undefined, 'conforming readers']) {
    liveSourceConformance({
      name: `a topic of Kafka${group === undefined ? '' : ', and a group'}`,
      make: async () => {
        const topic = `${newName()}-${Date.now()}`
        await cluster.topic(topic)
        const source = kafkaSource(cluster.urls, textLines(), { topic, ...(group === undefined ? {} : { group }) })
        const send = async (count: number) => {
          const texts = next(count)
          await cluster.produce(topic, texts)
          return texts
        }
        return { source, send }
      },
    })
  }
}

if (has['rabbitmq-server']) {
  let url = ''
  let client: ChannelModel
  let channel: ConfirmChannel
  before(async () => {
    url = `amqp://127.0.0.1:${await started(startRabbitmq())}`
    client = await connectRabbit(url)
    channel = await client.createConfirmChannel()
    ends.push(() => client.close())
  })
  for (const kind of ['classic', 'quorum']) {
    liveSourceConformance({
      name: `a ${kind} queue of RabbitMQ`,
      make: async () => {
        const queue = newName()
        await channel.assertQueue(queue, { arguments: { 'x-queue-type': kind } })
        const send = async (count: number) => {
          const texts = next(count)
          for (const text of texts) channel.sendToQueue(queue, Buffer.from(text), { messageId: text, persistent: true })
          await channel.waitForConfirms()
          return texts
        }
        return { source: rabbitmqSource(url, textLines(), { queue }), send }
      },
    })
  }
}

liveSourceConformance({
  name: 'a webhook',
  // Each sender sends again by itself.
  isOrdered: false,
  make: async () => {
    const port = await freePort()
    const over = new AbortController()
    const post = async (body: string) => {
      const headers = { 'idempotency-key': randomUUID() }
      while (!over.signal.aborted) {
        const request = { method: 'POST', body, headers, signal: over.signal }
        const status = await fetch(`http://127.0.0.1:${port}/`, request).then(
          (response) => response.status,
          () => 0,
        )
        if (status === 202) return
        await sleep(20)
      }
    }
    return {
      source: webhookSource({ port }, textLines()),
      send: (count) => {
        const texts = next(count)
        for (const text of texts) void post(text)
        return texts
      },
      cleanup: () => over.abort(),
    }
  },
})

liveSourceConformance({
  name: 'server-sent events',
  make: async () => {
    const all: string[] = []
    const open = new Set<ServerResponse>()
    const tell = (response: ServerResponse, from: number) => {
      for (let at = from; at < all.length; at += 1) response.write(`id: ${at + 1}\ndata: ${all[at]}\n\n`)
    }
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      tell(response, Number(request.headers['last-event-id'] ?? 0))
      open.add(response)
      response.on('close', () => open.delete(response))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      source: sseSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, textLines()),
      send: (count) => {
        const texts = next(count)
        all.push(...texts)
        for (const response of open) tell(response, all.length - count)
        return texts
      },
      cleanup: () => {
        server.closeAllConnections()
        server.close()
      },
    }
  },
})

liveSourceConformance({
  name: 'a WebSocket',
  comesAgain: false,
  make: async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    let current: WebSocket | undefined
    server.on('connection', (socket) => {
      current = socket
    })
    return {
      source: webSocketSource(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, textLines()),
      send: async (count) => {
        await until(() => current?.readyState === 1, 'a connection')
        const texts = next(count)
        for (const text of texts) current?.send(text)
        return texts
      },
      cleanup: () => {
        for (const client of server.clients) client.terminate()
        server.close()
      },
    }
  },
})

liveSourceConformance({
  name: 'syslog over TCP',
  comesAgain: false,
  make: () => {
    let port = 0
    const source = syslogSource(
      { tcp: 0 },
      {
        event: ({ text }) => text,
        onListening: ({ tcp = 0 }) => {
          port = tcp
        },
      },
    )
    return {
      source,
      send: async (count) => {
        const socket = connectTcp(port, '127.0.0.1')
        const texts = next(count)
        socket.end(texts.map((text) => `<13>1 - - - - - - ${text}\n`).join(''))
        await once(socket, 'close')
        return texts
      },
    }
  },
})

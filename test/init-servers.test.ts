// New projects with servers at their ends: what is loaded from each, and into each.

import { deepEqual, equal, match } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect as connectRabbit } from 'amqplib'
import { connectAsync } from 'mqtt'
import { WebSocketServer } from 'ws'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import {
  freePort,
  type ServerProcess,
  startMosquitto,
  startNats,
  startRabbitmq,
  startRedis,
  without,
} from './support/brokers.ts'
import { type Outcome, sluice } from './support/cli.ts'
import { KafkaServers, withoutKafka } from './support/kafka.ts'
import { writeProject } from './support/new-project.ts'
import { missingPostgres, PostgresServer } from './support/postgres.ts'
import { until } from './support/until.ts'

const folder = tempFolder('sluice-init-servers-')
const ORDER = JSON.stringify({ id: 1, customer: 'Ann', amount: 12.5 })

/** Loads the four orders of a new project from CSV into a server: two are wanted, one is rejected. */
async function intoServer(sink: string, url: string, edit = (job: string) => job): Promise<void> {
  const project = writeProject(join(folder, `into-${sink}`), { source: 'csv', sink, key: 'id' })
  const path = join(project, 'job.ts')
  writeFileSync(path, edit(readFileSync(path, 'utf8')))
  const { code, stdout, stderr } = await sluice(['run', 'job.ts', '--json'], { cwd: project, env: { TARGET_URL: url } })
  equal(code, 0, stderr)
  match(stdout, /"loaded":2\b/)
}

/** Runs a new project from a server into SQLite until a row is there, and stops it unless its source ends. */
async function fromServer(
  source: string,
  env: Readonly<Record<string, string>>,
  send: () => unknown = () => {},
  isUnbounded = true,
): Promise<void> {
  const project = writeProject(join(folder, `from-${source}`), { source, sink: 'sqlite', key: undefined })
  const children: ChildProcess[] = []
  const isOver: { outcome?: Outcome } = {}
  const running = sluice(['run', 'job.ts'], { cwd: project, env, onStart: (child) => children.push(child) })
  void running.then((outcome) => {
    isOver.outcome = outcome
  })
  const db = join(project, 'out', 'result.sqlite')
  const hasRow = async (): Promise<boolean> => {
    await send()
    if (isOver.outcome !== undefined) equal(isOver.outcome.code, 0, isOver.outcome.stderr)
    try {
      return rowsIn(db, 'select * from result').length > 0
    } catch {
      return false // The table is made with the first commit.
    }
  }
  await until(hasRow, `a row of ${source}`)
  if (isUnbounded) children[0]?.kill('SIGTERM')
  const { code, stderr } = await running
  equal(code, 0, stderr)
}

/** Answers every request, and gives what was posted. */
async function answering(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`
  return {
    url,
    [Symbol.dispose]: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const asOrders = (job: string): string => job.replaceAll("'result'", "'orders'")

describe('a new project, with a server', () => {
  it('I21: loads from CSV into PostgreSQL, and from there into SQLite', { skip: missingPostgres() }, async () => {
    await using server = await PostgresServer.start()
    const url = server.url(await server.createDatabase())
    await intoServer('postgres', url, asOrders)
    await fromServer('postgres', { SOURCE_URL: url }, undefined, false)
  })

  it('I21: loads from CSV into Kafka, and from there into SQLite', { skip: withoutKafka() }, async () => {
    const servers = await KafkaServers.start()
    try {
      await servers.topic('orders')
      await intoServer('kafka', servers.urls[0] ?? '', asOrders)
      await fromServer('kafka', { SOURCE_URL: servers.urls[0] ?? '' })
    } finally {
      await servers.stop()
    }
  })

  const brokers: Readonly<
    Record<
      string,
      {
        readonly program: string
        readonly scheme: string
        readonly start: () => Promise<ServerProcess>
        readonly prepare?: (url: string) => Promise<void>
      }
    >
  > = {
    redis: { program: 'redis-server', scheme: 'redis', start: startRedis },
    nats: {
      program: 'nats-server',
      scheme: 'nats',
      start: startNats,
      async prepare(url) {
        const connection = await connectNats({ servers: url.replace('nats://', '') })
        await (await jetstreamManager(connection)).streams.add({ name: 'ORDERS', subjects: ['orders'] })
        await connection.close()
      },
    },
    rabbitmq: {
      program: 'rabbitmq-server',
      scheme: 'amqp',
      start: startRabbitmq,
      async prepare(url) {
        const connection = await connectRabbit(url)
        const channel = await connection.createChannel()
        await channel.assertQueue('orders')
        await connection.close()
      },
    },
  }
  for (const [name, { program, scheme, start, prepare }] of Object.entries(brokers)) {
    it(`I21: loads from CSV into ${name}, and from there into SQLite`, { skip: without(program) }, async () => {
      const server = await start()
      try {
        const url = `${scheme}://127.0.0.1:${server.port}`
        await prepare?.(url)
        await intoServer(name, url, asOrders)
        await fromServer(name, { SOURCE_URL: url })
      } finally {
        await server.stop()
      }
    })
  }

  it('I21: loads from CSV into MQTT, and from there into SQLite', { skip: without('mosquitto') }, async () => {
    const server = await startMosquitto()
    try {
      const url = `mqtt://127.0.0.1:${server.port}`
      // What is published before the first subscription is not delivered: it is published until a row is there.
      const client = await connectAsync(url)
      await fromServer('mqtt', { SOURCE_URL: url }, async () => await client.publishAsync('orders', ORDER, { qos: 1 }))
      await client.endAsync()
      await intoServer('mqtt', url)
    } finally {
      await server.stop()
    }
  })

  it('I21: loads from CSV into an HTTP server, and pages of one into SQLite', async () => {
    const posted: string[] = []
    using server = await answering(async (request, response) => {
      if (request.method === 'POST') for await (const chunk of request) posted.push(`${chunk}`)
      response.setHeader('content-type', 'application/json').end(`[${ORDER}]`)
    })
    await intoServer('http', server.url)
    equal(JSON.parse(posted.join('')).length, 2)
    await fromServer('http', { SOURCE_URL: server.url }, undefined, false)
  })

  it('I21: loads server-sent events and messages of a WebSocket into SQLite', async () => {
    using server = await answering((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`id: 1\ndata: ${ORDER}\n\n`)
    })
    await fromServer('sse', { SOURCE_URL: server.url })
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    sockets.on('connection', (socket) => socket.send(ORDER))
    await new Promise((resolve) => sockets.once('listening', resolve))
    await fromServer('websocket', { SOURCE_URL: `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}` })
    sockets.close()
  })

  it('I21: loads what is posted, what is logged, and what a file gets, into SQLite', async () => {
    const [posts, logs] = [await freePort(), await freePort()]
    await fromServer('webhook', { PORT: `${posts}` }, async () => {
      await fetch(`http://127.0.0.1:${posts}/orders`, { method: 'POST', body: ORDER }).catch(() => {})
    })
    const socket = createSocket('udp4')
    await fromServer('syslog-server', { PORT: `${logs}` }, () =>
      socket.send('<34>1 - mail sshd 1 - - hello', logs, '127.0.0.1'),
    )
    socket.close()
    const line = '::1 - - [17/May/2026:10:05:04 +0000] "GET /x HTTP/1.1" 404 12 "-" "curl/8.5.0"\n'
    let hasGrown = false
    await fromServer('tail', {}, () => {
      if (!hasGrown) appendFileSync(join(folder, 'from-tail', 'data', 'access.log'), line)
      hasGrown = true
    })
    const rows = rowsIn(join(folder, 'from-tail', 'out', 'result.sqlite'), 'select path from result')
    deepEqual(rows[0], { path: '/missing' })
  })
})

// How many messages a second a live source takes, into SQLite. Arguments: source, target, messages. The server is a thread
// of this process. Prints messages a second, once a fifth has come, and the most memory of the process in MB.

import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import {
  json,
  pipeline,
  type Source,
  type SyslogMessage,
  sqliteSink,
  sseSource,
  startPipeline,
  syslogSource,
} from 'sluice'
import { webSocketSource } from 'sluice/websocket'
import { WebSocketServer } from 'ws'

interface Row {
  readonly n: number
  readonly text: string
}

interface Sending {
  readonly source: string
  readonly count: number
  readonly port: number
}

const TEXT = 'x'.repeat(79)
const body = (n: number): string => `{"n":${1_000_000 + n},"text":"${TEXT}"}`

if (isMainThread) await read()
else await send(workerData as Sending)

async function read(): Promise<void> {
  const [source = '', target = 'live.db', messages = '200000'] = process.argv.slice(2)
  const count = Number(messages)
  for (const ending of ['', '-wal', '-shm']) rmSync(`${target}${ending}`, { force: true })
  const ports = Promise.withResolvers<number>()
  // A server of syslog is what reads; of the others, what sends.
  const isListening = source === 'syslog'
  const start = (port: number): Worker =>
    new Worker(new URL(import.meta.url), { workerData: { source, count, port } satisfies Sending })
  let sender: Worker | undefined
  if (!isListening) {
    sender = start(0)
    sender.once('message', (port: number) => ports.resolve(port))
  }
  const port = isListening ? 0 : await ports.promise
  const sources: Readonly<Record<string, () => Source<Row>>> = {
    sseSource: () => sseSource(`http://127.0.0.1:${port}`, json<Row>()),
    webSocketSource: () => webSocketSource(`ws://127.0.0.1:${port}`, json<Row>()),
    syslog: () =>
      syslogSource<Row>(
        { tcp: 0 },
        {
          event: ({ msgId, text }: SyslogMessage) => ({ n: Number(msgId), text }),
          onListening({ tcp = 0 }) {
            sender = start(tcp)
          },
        },
      ),
  }
  const job = pipeline('live', {
    from: () => (sources[source] as () => Source<Row>)(),
    into: () => sqliteSink<Row>(target, { table: 'messages' }),
  })
  let warm: { readonly loaded: number; readonly ms: number } | undefined
  const run = await startPipeline(job, {
    onEvent: (event) => {
      if (event.kind !== 'committed') return
      const { loaded } = event.totals
      if (loaded >= count / 5) warm ??= { loaded, ms: performance.now() }
      if (loaded < count || warm === undefined) return
      const seconds = (performance.now() - warm.ms) / 1000
      const perSecond = Math.round((loaded - warm.loaded) / seconds)
      console.log(JSON.stringify({ perSecond, peakMb: Math.round(process.resourceUsage().maxRSS / 1024) }))
      void run.drain('all came')
    },
  })
  await run.done
  await sender?.terminate()
}

async function send({ source, count, port }: Sending): Promise<void> {
  if (source === 'syslog') {
    const socket = connect(port, '127.0.0.1')
    for (let n = 0; n < count; n += 1) {
      if (!socket.write(`<13>1 - box app - ${1_000_000 + n} - ${TEXT}\n`)) await once(socket, 'drain')
    }
    return
  }
  const server = createServer(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let n = 0; n < count; n += 1) {
      if (!response.write(`id: ${n}\ndata: ${body(n)}\n\n`)) await once(response, 'drain')
    }
  })
  new WebSocketServer({ server }).on('connection', async (socket, { socket: stream }) => {
    for (let n = 0; n < count; n += 1) {
      socket.send(body(n))
      if (stream.writableNeedDrain) await once(stream, 'drain')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  parentPort?.postMessage((server.address() as AddressInfo).port)
}

// Everything in one command: a broker, a house of sensors that sends to it, and the pipeline of ../sensors.ts.
// An hour of the house takes a minute. Options: --seconds 60 --sensors 200 --folder (where the databases go)

import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Aedes } from 'aedes'
import { connectAsync } from 'mqtt'
import { startDashboard, startPipeline, watchedRun } from 'sluice'
import sensors from '../sensors.ts'
import { house } from './house.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    sensors: { type: 'string', default: '200' },
    folder: { type: 'string' },
  },
})
const [seconds, count] = [Number(values.seconds), Number(values.sensors)]
const EVERY_MS = 10_000
/** How much faster than ours time passes in the house. */
const FASTER = 60

const broker = await Aedes.createBroker()
const server = createServer(broker.handle as (socket: Socket) => void).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
console.log(`broker    ${url}`)

const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'sluice-sensors-'))
const [db, alerts] = [join(folder, 'sensors.db'), join(folder, 'alerts.db')]
let [committed, dead] = [0, 0]
/** The broker keeps what arrives after the first subscription. */
const subscribed = Promise.withResolvers<void>()
const params = new Map(Object.entries({ broker: url, db, alerts, limit: '74' }))
const run = await startPipeline(sensors, {
  params,
  onEvent: (event) => {
    if (event.kind === 'committed') {
      committed = event.totals.read
      dead = event.totals.dead
    } else if (event.kind === 'split-opened') subscribed.resolve()
    else if (event.kind === 'noted') console.log(`note      ${event.note}`)
  },
})
await Promise.race([subscribed.promise, run.done])
const dashboard = await startDashboard()
dashboard.watch(watchedRun(run, sensors, params))
console.log(`page      ${dashboard.url}`)
console.log(`pipeline  ${db}, ${alerts}`)

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
setTimeout(() => stop.abort(), seconds * 1000).unref()
const client = await connectAsync(url, { clientId: 'house' })
const startMs = Date.now() - 3_600_000
const untilMs = performance.now()
let [sent, round] = [0, 0]
for (const messages of house({ sensors: count, everyMs: EVERY_MS, startMs, seed: 7 })) {
  if (stop.signal.aborted) break
  await Promise.all(
    messages.map(({ sensor, body }) => client.publishAsync(`sensors/${sensor}/reading`, body, { qos: 1 })),
  )
  sent += messages.length
  round += 1
  if (round % (3 * (FASTER / 10)) === 0) show()
  await sleep(Math.max(0, untilMs + (round * EVERY_MS) / FASTER - performance.now()), undefined, {
    signal: stop.signal,
  }).catch(() => {}) // It is over.
}
await client.endAsync()
let isOver = false
const over = run.done.finally(() => {
  isOver = true
})
over.catch(() => {}) // The drain reports it.
while (committed < sent && !isOver) await sleep(50)
await run.drain('the demo is over')
show()
await dashboard.close()
server.close()
await new Promise<void>((resolve) => broker.close(() => resolve()))
console.log(`look at   sqlite3 ${db} 'select * from climate'`)

/** What is known by now. */
function show(): void {
  const [windows, minute] = one(db, 'select count(*), max(start) from climate where isFinal')
  const [open] = one(db, 'select count(*) from climate where not isFinal')
  const figures = 'avg(meanF), min(minF), max(maxF)'
  const [mean, low, high] = one(db, `select ${figures} from climate where isFinal and start = ${Number(minute)}`)
  const [told] = one(alerts, 'select count(*) from alerts')
  const clock = new Date(Number(minute)).toISOString().slice(11, 16)
  const degrees = (value: unknown): string => (typeof value === 'number' ? value.toFixed(1) : '-')
  console.log(
    `${clock}     ${degrees(low)} to ${degrees(high)} °F, mean ${degrees(mean)};  ${sent} sent, ${committed} read, ${dead} refused, ` +
      `${windows} minutes done, ${open} under way, ${told} alerts`,
  )
}

/** The values of one row; none while the table does not exist. */
function one(path: string, sql: string): readonly unknown[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return Object.values(database.prepare(sql).get() ?? {})
  } catch {
    return [0]
  } finally {
    database.close()
  }
}

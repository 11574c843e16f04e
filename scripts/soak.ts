// npm run soak -- [--minutes 60] [--seed 1]: live loads for a long time, with kills, restarts and cuts, and then a count.
// A log that is rotated goes into PostgreSQL, sensors of an MQTT broker by the minute into SQLite.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connectAsync } from 'mqtt'
import { collect, flow } from 'sluice'
import { climate } from '../examples/sensors/climate.ts'
import { house } from '../examples/sensors/house.ts'
import { Aedes } from '../test/support/brokers.ts'
import { PostgresServer } from '../test/support/postgres.ts'
import { ROOT } from '../test/support/project.ts'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import { type Held, PipelineProcess } from './soak/process.ts'
import { LogWriter } from './soak/writer.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
})
const minutes = Number(values.minutes)
const TICK_MS = 100
const LINES_A_TICK = 100
const SENSORS = 100
/** Of the house: it is ten times as fast as ours. */
const EVERY_MS = 10_000
const ROUND_MS = 1000

let state = Number(values.seed)
/** Numbers from 0 to 1. */
function random(): number {
  state = (state * 48_271) % 2_147_483_647
  return state / 2_147_483_647
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
const server = await PostgresServer.start()
const database = await server.createDatabase()
const proxy = await TcpProxy.start(server.port)
const broker = await Aedes.start()
const url = `mqtt://127.0.0.1:${broker.port}`
const writer = new LogWriter(folder, 8_000_000)
const [db, alerts] = [join(folder, 'sensors.db'), join(folder, 'alerts.db')]
const logs = new PipelineProcess('logs', join(ROOT, 'scripts/soak/logs.ts'), {
  input: writer.path,
  store: server.url(database, 'postgres', proxy.port),
})
const sensors = new PipelineProcess('sensors', join(ROOT, 'examples/sensors.ts'), {
  broker: url,
  db,
  alerts,
  late: '1h',
  limit: '74',
})
const startedMs = performance.now()
const untilMs = startedMs + minutes * 60_000
const isOver = (): boolean => performance.now() >= untilMs
const minute = (): number => Math.floor((performance.now() - startedMs) / 60_000)
const say = (text: string): void => console.log(`${`${minute()}`.padStart(3)} min  ${text}`)

logs.start()
sensors.start()
// The broker keeps what comes from the first subscription on.
while (sensorRows() === undefined) await sleep(100)
await sleep(2000)

const sent: unknown[] = []
const startMs = Date.UTC(2026, 0, 1)
const counts = { kills: 0, restarts: 0, cuts: 0 }
const held: { readonly minute: number; readonly name: string; readonly held: Held }[] = []
await Promise.all([write(), publish(), doFaults(), watch()])
say(`${writer.lines} lines in ${writer.rotations + 1} files, ${sent.length} readings sent; now all is to be there`)
const isLogged = await until(async () => (await linesIn()) >= writer.lines)
const expected = await expectedRows()
const areSummed = await until(async () => (sensorRows()?.length ?? 0) >= expected.length)
await Promise.all([logs.stop(), sensors.stop()])
const found = { lines: await digestOfLines(), windows: sensorRows() ?? [] }
const isRight = {
  lines: isLogged && found.lines === `${writer.lines} ${writer.lines} ${(writer.lines * (writer.lines + 1)) / 2}`,
  windows: areSummed && JSON.stringify(found.windows) === JSON.stringify(expected),
}
await proxy.stop()
await broker.stop()
await server.stop()
rmSync(folder, { recursive: true, force: true })
for (const process of [logs, sensors]) report(process)
say(`${counts.kills} kills, ${counts.restarts} restarts of PostgreSQL, ${counts.cuts} cuts of its network`)
say(`lines: ${isRight.lines ? 'each once' : `WRONG: ${found.lines}`}; windows: ${isRight.windows ? 'equal' : 'WRONG'}`)
process.exitCode = isRight.lines && isRight.windows ? 0 : 1

async function write(): Promise<void> {
  for (; !isOver(); await sleep(TICK_MS)) writer.write(LINES_A_TICK)
  writer.close()
}

async function publish(): Promise<void> {
  const client = await connectAsync(url, { clientId: 'house' })
  const send = async (sensor: string, body: string): Promise<void> => {
    try {
      sent.push(JSON.parse(body))
    } catch {
      // A dead letter there, and nothing here.
    }
    await client.publishAsync(`sensors/${sensor}/reading`, body, { qos: 1 })
  }
  for (const round of house({ sensors: SENSORS, everyMs: EVERY_MS, startMs, seed: Number(values.seed) })) {
    if (isOver()) break
    await Promise.all(round.map(({ sensor, body }) => send(sensor, body)))
    await sleep(ROUND_MS)
  }
  // A reading of a much later day ends all windows.
  await send('end', JSON.stringify({ sensor: 'end', at: startMs + 30 * 86_400_000, celsius: 0, humidity: null }))
  await client.endAsync()
}

async function doFaults(): Promise<void> {
  for (;;) {
    await sleep(5000 + random() * 20_000)
    if (isOver()) return
    const chance = random()
    if (chance < 0.5) {
      const process = random() < 0.5 ? logs : sensors
      counts.kills += 1
      await process.kill()
    } else if (chance < 0.75) {
      counts.restarts += 1
      await server.restart(random() < 0.5 ? 'fast' : 'immediate')
    } else {
      counts.cuts += 1
      await proxy.refuse()
      proxy.reset()
      await sleep(1000 + random() * 6000)
      await proxy.accept()
    }
  }
}

async function watch(): Promise<void> {
  for (; !isOver(); await sleep(5000)) {
    for (const process of [logs, sensors]) {
      const now = process.held()
      if (now !== undefined) held.push({ minute: minute(), name: process.name, held: now })
    }
  }
}

/** Memory and descriptors, in the first third and in the last one. */
function report({ name, unasked }: PipelineProcess): void {
  const own = held.filter((one) => one.name === name)
  const most = (part: typeof own, of: (held: Held) => number): number => Math.max(...part.map((one) => of(one.held)))
  const third = Math.ceil(own.length / 3)
  for (const [when, part] of [
    ['first third', own.slice(0, third)],
    ['last third', own.slice(-third)],
  ] as const) {
    say(
      `${name}, ${when}: ${most(part, (one) => one.megabytes)} MB, ${most(part, (one) => one.descriptors)} descriptors`,
    )
  }
  for (const text of unasked) say(`not asked for: ${text}`)
}

async function linesIn(): Promise<number> {
  const [row] = await server.query(database, 'select count(*)::integer as n from lines')
  return Number(row?.n)
}

async function digestOfLines(): Promise<string> {
  const sql = 'select count(*) as rows, count(distinct n) as numbers, sum(n) as sum from lines'
  const [row] = await server.query(database, sql)
  return `${row?.rows} ${row?.numbers} ${row?.sum}`
}

async function expectedRows(): Promise<unknown[]> {
  const rows = await collect(climate(flow(sent), '1m', '1h'))
  return rows
    .filter(({ isFinal, sensor }) => isFinal && sensor !== 'end')
    .sort((a, b) => (a.sensor === b.sensor ? a.start - b.start : a.sensor < b.sensor ? -1 : 1))
    .map(({ sensor, start, readings, meanF }) => ({ sensor, start, readings, meanF }))
}

/** Windows that are over; undefined before there is a database. */
function sensorRows(): unknown[] | undefined {
  try {
    const file = new DatabaseSync(db, { readOnly: true })
    try {
      const tables = file.prepare("select count(*) as n from sqlite_master where name = 'climate'").get()
      if (tables?.n === 0) return []
      const sql = `select sensor, start, readings, meanF from climate where isFinal and sensor <> 'end' order by sensor, start`
      return file.prepare(sql).all()
    } finally {
      file.close()
    }
  } catch {
    return undefined
  }
}

async function until(condition: () => Promise<boolean>): Promise<boolean> {
  for (let turn = 0; turn < 600; turn += 1) {
    try {
      if (await condition()) return true
    } catch {
      // The database may just be away.
    }
    await sleep(200)
  }
  return false
}

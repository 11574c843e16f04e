import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { collect, flow } from 'sluice'
import { climate } from '../examples/sensors/climate.ts'
import { house, type Sent } from '../examples/sensors/house.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { Aedes } from './support/brokers.ts'
import { sluice } from './support/cli.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { until } from './support/until.ts'

const JOB = join(ROOT, 'examples', 'sensors.ts')
const START_MS = Date.UTC(2026, 2, 1, 12)
const LIMIT = 70

describe(`the job of live sensors (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = tempFolder('sluice-sensors-live-')

  /** Rows of windows that are over; undefined before there is a table. */
  const rowsOf = (path: string, table: string): Record<string, unknown>[] | undefined => {
    if (!existsSync(path)) return undefined
    const database = new DatabaseSync(path)
    try {
      database.exec('pragma busy_timeout = 5000')
      const sql = `select * from ${table} where isFinal and sensor <> 'end' order by sensor, start`
      return database.prepare(sql).all() as Record<string, unknown>[]
    } catch {
      return undefined
    } finally {
      database.close()
    }
  }

  it('F1: killed and started again at random, ends with the windows of an undisturbed run', async () => {
    const rounds = house({ sensors: 40, everyMs: 10_000, startMs: START_MS, seed: 5 })
    // Ten minutes, and then a reading of a later day that ends all windows.
    const sent: Sent[][] = Array.from({ length: 60 }, () => rounds.next().value ?? [])
    const end = { sensor: 'end', at: START_MS + 86_400_000, celsius: 0, humidity: null }
    sent.push([{ sensor: 'end', body: JSON.stringify(end) }])
    const read = sent.flat().flatMap(({ body }) => {
      try {
        return [JSON.parse(body) as unknown]
      } catch {
        return []
      }
    })
    // Nobody is late here, whatever the order in which a broker sends again.
    const expected = (await collect(climate(flow(read), '1m', '1h')))
      .filter(({ isFinal, sensor }) => isFinal && sensor !== 'end')
      .map((row) => ({ ...row, isFinal: 1 }))
      .sort((a, b) => (a.sensor === b.sensor ? a.start - b.start : a.sensor < b.sensor ? -1 : 1))
    const plain = (rows: readonly object[] | undefined): string[] => {
      return (rows ?? []).map((row) => JSON.stringify(Object.values(row).map((value) => value ?? null)))
    }

    const broker = await Aedes.start()
    try {
      const url = `mqtt://127.0.0.1:${broker.port}`
      const [db, alerts] = [join(folder, 'sensors.db'), join(folder, 'alerts.db')]
      const params = { broker: url, db, alerts, late: '1h', limit: `${LIMIT}` }
      const args = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`])
      const random = randomOf('live sensors')
      const isDone = () => (rowsOf(db, 'climate')?.length ?? 0) >= expected.length
      const alarms = expected.filter(({ maxF }) => (maxF ?? 0) > LIMIT)
      const isAllTold = () => isDone() && (rowsOf(alerts, 'alerts')?.length ?? 0) >= alarms.length
      let [kills, publishing] = [0, Promise.resolve()]
      for (let turn = 0; turn < 40 && !isAllTold(); turn += 1) {
        const over = new AbortController()
        const isLast = kills >= 6
        const { code, signal, stderr } = await sluice(['run', JOB, '--quiet', '--epoch-ms', '20', ...args], {
          onStart: (child) => {
            void (async () => {
              if (turn === 0) {
                // The broker keeps what comes from the first subscription on.
                await Promise.race([broker.subscribed, once(over.signal, 'abort')])
                publishing = publish(url, sent)
              }
              if (isLast) await until(() => over.signal.aborted || isAllTold(), 'all windows and alerts')
              else await sleep(400 + random() * 600)
              if (!over.signal.aborted) child.kill(isLast ? 'SIGTERM' : 'SIGKILL')
            })()
          },
        })
        over.abort()
        ok(signal === 'SIGKILL' || code === 0, stderr)
        if (signal === 'SIGKILL') kills += 1
      }
      await publishing
      ok(kills > 2, `${kills} kills took effect`)
      deepEqual(plain(rowsOf(db, 'climate')), plain(expected))
      deepEqual(plain(rowsOf(alerts, 'alerts')), plain(alarms))
    } finally {
      await broker.stop()
    }
  })

  it('runs with broker and sensors in one command', () => {
    const argv = ['--conditions=sluice-source', join(ROOT, 'examples', 'sensors', 'demo.ts')]
    const options = ['--seconds', '8', '--sensors', '20', '--folder', mkdtempSync(join(folder, 'demo-'))]
    const { status, stdout, stderr } = spawnSync(process.execPath, [...argv, ...options], { encoding: 'utf8' })
    equal(status, 0, stderr)
    match(stdout, /^broker {4}mqtt:\/\/127\.0\.0\.1:\d+\n/)
    const last = stdout.trimEnd().split('\n').at(-2) ?? ''
    const [, sent = '', read = '', done = ''] =
      /(\d+) sent, (\d+) read, \d+ refused, (\d+) minutes done/.exec(last) ?? []
    equal(read, sent)
    ok(Number(sent) > 500 && Number(done) > 50, last)
  })
})

async function publish(url: string, rounds: readonly (readonly Sent[])[]): Promise<void> {
  const client = await connectAsync(url, { clientId: 'house' })
  for (const round of rounds) {
    const all = round.map(({ sensor, body }) => client.publishAsync(`sensors/${sensor}/reading`, body, { qos: 1 }))
    await Promise.all(all)
    await sleep(40)
  }
  await client.endAsync()
}

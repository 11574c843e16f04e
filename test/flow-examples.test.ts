import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { collect } from 'sluice'
import { ROOT } from './support/project.ts'

const DATA = join(ROOT, '../shared/data')
const skip = existsSync(DATA) ? false : 'the reference data is not beside the project'

let modules = 0

/** What the flow of an example gives, as the command line prints it. */
async function eventsOf(example: string, input?: string, threads?: number): Promise<Record<string, unknown>[]> {
  // Read as the module begins, here and in every worker.
  if (input === undefined) delete process.env.INPUT
  else process.env.INPUT = input
  const url = pathToFileURL(join(ROOT, 'examples', example))
  modules += 1
  url.search = `module=${modules}`
  const events = await collect(url, threads === undefined ? {} : { threads })
  return events.map((event) => JSON.parse(JSON.stringify(event)) as Record<string, unknown>)
}

const sorted = (events: readonly unknown[]): string[] => events.map((event) => JSON.stringify(event)).sort()

describe('examples of flows', () => {
  for (const example of [
    'word-count.ts',
    'brc.ts',
    'access-report.ts',
    'sensor-windows.ts',
    'sessions.ts',
    'join.ts',
  ]) {
    it(`${example} gives the same on two threads as in one`, async () => {
      deepEqual(sorted(await eventsOf(example, undefined, 2)), sorted(await eventsOf(example)))
    })
  }

  for (const threads of [undefined, 2]) {
    const on = threads === undefined ? 'in one thread' : 'on two threads'

    it(`sensor-windows.ts gives the hourly means of real sensors, ${on}`, { skip }, async () => {
      const folder = join(DATA, 'sensor-luftdaten')
      const table = gunzipSync(readFileSync(join(folder, 'expected-hourly.tsv.gz'))).toString()
      const [, ...rows] = table.trimEnd().split('\n')
      const expected = new Map(
        rows.map((row) => [row.split('\t').slice(0, 2).join(' '), row.split('\t').slice(2).map(Number)]),
      )
      const found = await eventsOf('sensor-windows.ts', join(folder, '*.csv.gz'), threads)
      equal(found.length, expected.size)
      for (const { sensor: key, windowStart, n, mean, humidity } of found) {
        const hour = new Date(Number(windowStart)).toISOString().slice(0, 13)
        const [count, meanF, meanRh] = expected.get(`${key} ${hour}`) ?? []
        equal(n, count)
        ok(Math.abs(Number(mean) - Number(meanF)) < 1e-6, `${key} ${hour}: ${mean} is not ${meanF}`)
        ok(Math.abs(Number(humidity) - Number(meanRh)) < 1e-6, `${key} ${hour}: ${humidity} is not ${meanRh}`)
      }
    })

    it(`access-report.ts counts all requests of a real log, ${on}`, { skip }, async () => {
      const folder = join(DATA, 'access-semicomplete')
      const { by_status: byStatus } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
        by_status: Record<string, number>
      }
      const found = new Map<string, number>()
      for (const { status, requests } of await eventsOf('access-report.ts', join(folder, '*.gz'), threads)) {
        found.set(String(status), (found.get(String(status)) ?? 0) + Number(requests))
      }
      deepEqual(new Map([...found].sort()), new Map(Object.entries(byStatus).sort()))
    })
  }
})

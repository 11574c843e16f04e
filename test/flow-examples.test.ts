import { deepEqual, equal, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { ROOT } from './support/project.ts'

const DATA = join(ROOT, '../shared/data')
const skip = existsSync(DATA) ? false : 'the reference data is not beside the project'

/** What `sluice run` of an example prints, event by event. */
function eventsOf(example: string, input: string | undefined, ...args: readonly string[]): Record<string, unknown>[] {
  const argv = [
    '--conditions=sluice-source',
    join(ROOT, 'src/cli/bin.ts'),
    'run',
    join(ROOT, 'examples', example),
    ...args,
  ]
  const env = { ...process.env, ...(input === undefined ? {} : { INPUT: input }) }
  const { stdout, stderr, status } = spawnSync(process.execPath, argv, { encoding: 'utf8', env, maxBuffer: 1 << 27 })
  equal(status, 0, stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
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
    it(`${example} gives the same on two threads as in one`, () => {
      deepEqual(sorted(eventsOf(example, undefined, '--threads', '2')), sorted(eventsOf(example, undefined)))
    })
  }

  for (const threads of [[], ['--threads', '2']]) {
    const on = threads.length === 0 ? 'in one thread' : 'on two threads'

    it(`sensor-windows.ts gives the hourly means of real sensors, ${on}`, { skip }, () => {
      const folder = join(DATA, 'sensor-luftdaten')
      const table = gunzipSync(readFileSync(join(folder, 'expected-hourly.tsv.gz'))).toString()
      const [, ...rows] = table.trimEnd().split('\n')
      const expected = new Map(
        rows.map((row) => [row.split('\t').slice(0, 2).join(' '), row.split('\t').slice(2).map(Number)]),
      )
      const found = eventsOf('sensor-windows.ts', join(folder, '*.csv.gz'), ...threads)
      equal(found.length, expected.size)
      for (const { key, window, n, mean, humidity } of found) {
        const hour = new Date((window as { startMs: number }).startMs).toISOString().slice(0, 13)
        const [count, meanF, meanRh] = expected.get(`${key} ${hour}`) ?? []
        equal(n, count)
        ok(Math.abs(Number(mean) - Number(meanF)) < 1e-6, `${key} ${hour}: ${mean} is not ${meanF}`)
        ok(Math.abs(Number(humidity) - Number(meanRh)) < 1e-6, `${key} ${hour}: ${humidity} is not ${meanRh}`)
      }
    })

    it(`access-report.ts counts all requests of a real log, ${on}`, { skip }, () => {
      const folder = join(DATA, 'access-semicomplete')
      const { by_status: byStatus } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
        by_status: Record<string, number>
      }
      const found = new Map<string, number>()
      for (const { key, requests } of eventsOf('access-report.ts', join(folder, '*.gz'), ...threads)) {
        const [status = ''] = String(key).split(' ')
        found.set(status, (found.get(status) ?? 0) + Number(requests))
      }
      deepEqual(new Map([...found].sort()), new Map(Object.entries(byStatus).sort()))
    })
  }
})

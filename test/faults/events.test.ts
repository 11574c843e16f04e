import { deepEqual, equal, ok } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startPipeline } from 'sluice'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import minutes from '../jobs/minutes.ts'
import { sluice } from '../support/cli.ts'
import { untilCommitted } from '../support/progress.ts'
import { ROOT } from '../support/project.ts'
import { SEED, seeded, times } from '../support/seed.ts'

const JOB = join(ROOT, 'test', 'jobs', 'minutes.ts')
const MINUTE_MS = 60_000
const START_MS = Date.UTC(2026, 2, 2)

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number
}

describe(`events that are not in the order of their time (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = tempFolder('sluice-events-')
  let turn = 0

  const readings = (count: number): Reading[] => {
    return Array.from({ length: count }, (_, n) => ({
      sensor: `s${n % 7}`,
      at: START_MS + n * 2000,
      celsius: (n * 7919) % 60,
    }))
  }

  /** In another order: none comes more than `mostMs` behind what came before it. */
  const shuffled = (events: readonly Reading[], mostMs: number, random: () => number): Reading[] => {
    return events
      .map((event) => ({ event, comes: event.at + random() * mostMs }))
      .sort((a, b) => a.comes - b.comes)
      .map(({ event }) => event)
  }

  const place = (events: readonly Reading[]): Record<string, string> => {
    turn += 1
    const input = join(folder, `${turn}.ndjson`)
    writeFileSync(input, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    return { input, db: join(folder, `${turn}.db`) }
  }

  const load = async (params: Record<string, string>): Promise<void> => {
    const run = await startPipeline(minutes, { params: new Map(Object.entries(params)), epochEvents: 200 })
    await run.done
  }

  const tableOf = ({ db = '' }: Record<string, string>, sql = 'select * from minutes order by sensor, start') =>
    rowsIn(db, sql).map((row) => Object.values(row))

  const argsOf = (params: Record<string, string>): string[] => {
    const pairs = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`])
    return ['run', JOB, '--quiet', '--json', ...pairs]
  }

  it('F27: give the windows of an ordered run as long as none comes too late, whatever the order', async () => {
    const ordered = place(readings(1500))
    await load(ordered)
    const expected = tableOf(ordered)
    ok(expected.length > 300)
    for (let seed = 0; seed < times(50); seed += 1) {
      const disordered = place(shuffled(readings(1500), 15 * MINUTE_MS, seeded('order', SEED + seed)))
      await load(disordered)
      deepEqual(tableOf(disordered), expected, `seed ${SEED + seed}`)
      equal(tableOf(disordered, 'select * from dead_letters').length, 0)
    }
  })

  it('F27: do so on two threads, and killed on the way', async () => {
    const ordered = place(readings(20_000))
    await load(ordered)
    const expected = tableOf(ordered)
    const disordered = place(shuffled(readings(20_000), 15 * MINUTE_MS, seeded('order', SEED)))
    const { signal } = await sluice([...argsOf(disordered), '--threads', '2', '--epoch-ms', '20'], {
      onStart: (child) => void untilCommitted(`${disordered.db}`, child).then(() => child.kill('SIGKILL')),
    })
    equal(signal, 'SIGKILL')
    const { code, stderr } = await sluice([...argsOf(disordered), '--threads', '2'])
    deepEqual([code, stderr], [0, ''])
    deepEqual(tableOf(disordered), expected)
  })

  it('F28: are counted and kept as dead letters when they come too late, and all others are in their windows', async () => {
    const events = readings(1500)
    const late = events.slice(10, 15)
    const input = place([...events.filter((event) => !late.includes(event)), ...late])
    const { code, stdout, stderr } = await sluice(argsOf(input))
    deepEqual([code, stderr], [0, ''])
    const { overall } = JSON.parse(stdout)
    deepEqual([overall.read, overall.dead], [1500, 5])
    equal(overall.read, overall.loaded + overall.dead + overall.absorbed)
    const sum = tableOf(input, 'select sum(n) from minutes')[0]
    deepEqual(sum, [1495])
    const letters = tableOf(input, 'select raw, reason from dead_letters order by raw')
    deepEqual(
      letters.map(([raw]) => raw),
      late.map((event) => JSON.stringify(event)).sort(),
    )
    for (const [, reason] of letters) ok(String(reason).includes('late'), String(reason))
    const strict = await sluice([...argsOf(place([...events.slice(0, 10), ...events.slice(15), ...late])), '--strict'])
    equal(strict.code, 65)
  })

  it('F28: move no time on when they are of the future, and are counted', async () => {
    const events = readings(1500)
    const future = { sensor: 's1', at: Date.UTC(2999, 0, 1), celsius: 20 }
    const ordered = place(events)
    await load(ordered)
    const disturbed = place([future, ...events.slice(0, 700), future, ...events.slice(700)])
    const { code, stdout, stderr } = await sluice(argsOf(disturbed))
    deepEqual([code, stderr], [0, ''])
    const { overall } = JSON.parse(stdout)
    equal(overall.read, 1502)
    equal(overall.read, overall.loaded + overall.dead + overall.absorbed)
    // No event of its own time is late for it: their windows are as they would be without it.
    const ofTheirTime = 'select * from minutes where start < 4102444800000 order by sensor, start'
    deepEqual(tableOf(disturbed, ofTheirTime), tableOf(ordered))
    const [counted] = tableOf(disturbed, 'select coalesce(sum(n), 0) from minutes where start >= 4102444800000')
    equal(Number(counted?.[0]) + overall.dead, 2)
  })
})

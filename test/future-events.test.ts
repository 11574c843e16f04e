import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { count, type Duration, flow, run, tumbling } from 'sluice'
import { ManualClock } from 'sluice/testing'
import { ROOT } from './support/project.ts'

const FOLDER = join(ROOT, '../shared/data/events-wikipedia')
const skip = existsSync(FOLDER) ? false : 'the reference data is not beside the project'

/** Edits of one day by the hour, behind 45 of the same day whose dates were moved up to fifty days. */
async function editsByHour(futureLimit: Duration): Promise<{ hours: Record<string, number>; late: number }> {
  const first = readFileSync(join(FOLDER, 'future-dated.ndjson'), 'utf8')
  const day = gunzipSync(readFileSync(join(FOLDER, 'edits.ndjson.gz'))).toString()
  const edits = flow(`${first}${day}`.trimEnd().split('\n'))
    .map((line) => Date.parse((JSON.parse(line) as { time: string }).time))
    .window(tumbling('1h', (at) => at, { futureLimit }))
    .aggregate({ n: count() })
  const hours: Record<string, number> = {}
  const { late } = await run(edits, {
    // As if it were that day: what is dated tomorrow is not to be believed.
    clock: new ManualClock({ startMs: Date.UTC(2015, 8, 12, 0, 40) }),
    into(rows) {
      for (const { window, n } of rows) hours[new Date(window.startMs).toISOString().slice(0, 13)] = n
    },
    onLate: () => {},
  })
  return { hours, late }
}

describe('events from the future', () => {
  it('F28, T3: do not move time on, and make no others late', { skip }, async () => {
    const { per_hour: expected } = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as {
      per_hour: Record<string, number>
    }
    const { hours, late } = await editsByHour('1d')
    const ofTheDay = Object.fromEntries(Object.entries(hours).filter(([hour]) => hour.startsWith('2015-09-12')))
    deepEqual(ofTheDay, expected)
    // Three of them are dated before the first, whose hour has passed.
    equal(late, 3)
    equal(Object.values(hours).reduce((sum, n) => sum + n, 0) + late, 39_199 + 45)
  })

  it('do so where they are let', { skip }, async () => {
    ok((await editsByHour(Number.POSITIVE_INFINITY)).late > 39_000)
  })
})

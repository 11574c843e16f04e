import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { count, type Duration, flow, pipeline, run, sqliteSink, startPipeline, tumbling, valuesSource } from 'sluice'
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

  it('T3: a pipeline notes them, and its windows wait', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-future-'))
    const notes: string[] = []
    const job = pipeline('bookings', {
      from: () => valuesSource([0, 1000, 2000].map((ms) => Date.UTC(2200, 0, 1) + ms)),
      flow: (times) => times.window(tumbling('1s', (at) => at)).aggregate({ n: count() }),
      into: () => sqliteSink(join(folder, 'out.db'), { table: 'seconds', columns: { n: 'integer' } }),
      results: 'append',
    })
    const started = await startPipeline(job, {
      onEvent: (event) => {
        if (event.kind === 'noted') notes.push(event.note)
      },
    })
    equal((await started.done).overall.read, 3)
    equal(notes.length, 1)
    match(
      notes[0] ?? '',
      /^aggregate 1: found 1 event dated .*; windows of such times wait for other events, or the end/,
    )
    rmSync(folder, { recursive: true })
  })

  it('do so where they are let', { skip }, async () => {
    ok((await editsByHour(Number.POSITIVE_INFINITY)).late > 39_000)
  })
})

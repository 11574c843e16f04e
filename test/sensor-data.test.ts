import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import {
  collect,
  count,
  fileSource,
  flows,
  type LineFormat,
  max,
  mean,
  min,
  run,
  session,
  sliding,
  tumbling,
} from 'sluice'
import { ROOT } from './support/project.ts'

const DATA = join(ROOT, '../shared/data')
const skip = existsSync(DATA) ? false : 'the reference data is not beside the project'

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly fahrenheit: number
  readonly humidity: number | null
}

/** Rows below a header, by a function of their fields. */
function rows(
  separator: string,
  reading: (fields: readonly string[], file: string) => Reading,
): LineFormat<Reading | undefined> {
  return {
    name: 'readings',
    open: (head) => {
      const [header] = head()
      return (line, { source }) =>
        line === header
          ? undefined
          : reading(line.replaceAll('"', '').split(separator), basename(source).replace(/\..*/, ''))
    },
  }
}

const utc = (text: string | undefined): number => Date.parse(`${text?.replace(' ', 'T')}Z`)
const inFahrenheit = (celsius: string | undefined): number => (Number(celsius) * 9) / 5 + 32

interface DataSet {
  /** The files of one sensor each, or of several days of one. */
  readonly inputs: readonly string[]
  readonly format: LineFormat<Reading | undefined>
}

const SETS: Readonly<Record<string, DataSet>> = {
  'sensor-luftdaten': {
    inputs: ['*_17204.csv.gz', '*_8555.csv.gz'],
    format: rows(';', (fields) => ({
      sensor: fields[0] ?? '',
      at: utc(fields[5]),
      fahrenheit: inFahrenheit(fields.at(-2)),
      humidity: Number(fields.at(-1)),
    })),
  },
  'sensor-nab': {
    inputs: ['ambient*', 'machine*'],
    format: rows(',', ([at, value], sensor) => ({ sensor, at: utc(at), fahrenheit: Number(value), humidity: null })),
  },
  'sensor-occupancy': {
    inputs: ['datatest.txt.gz', 'datatest2*', 'datatraining*'],
    format: rows(',', ([, at, celsius, humidity], sensor) => ({
      sensor,
      at: utc(at),
      fahrenheit: inFahrenheit(celsius),
      humidity: Number(humidity),
    })),
  },
}

interface Expected {
  readonly rows: number
  readonly sensors: Readonly<
    Record<
      string,
      {
        readonly fahrenheit: { readonly min: number; readonly max: number; readonly mean: number; readonly n: number }
        readonly sessions_gap_15m: number
        readonly sliding_60m_by_10m: {
          readonly fullest: number
          readonly sum_of_counts: number
          readonly windows: number
        }
      }
    >
  >
}

const near = (found: number | null, expected: number, digits = 1e-6): boolean =>
  Math.abs((found ?? Number.NaN) - expected) <= digits

for (const [name, { inputs, format }] of Object.entries(SETS)) {
  const folder = join(DATA, name)
  // Each sensor's readings are an input of their own: how far time has come is told for each by itself.
  const readings = flows(inputs.map((glob) => fileSource(join(folder, glob), format))).filter(
    (row) => row !== undefined,
  )
  const bySensor = readings.keyBy(({ sensor }) => sensor)
  const expected = (): Expected => JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))

  describe(`the readings of ${name}`, () => {
    it('give the hourly means, none of them late', { skip }, async () => {
      const table = gunzipSync(readFileSync(join(folder, 'expected-hourly.tsv.gz'))).toString()
      const [, ...lines] = table.split('\n').filter((line) => line !== '')
      const hours = new Map(lines.map((line) => [line.split('\t').slice(0, 2).join(' '), line.split('\t').slice(2)]))
      let found = 0
      const hourly = bySensor
        .window(tumbling('1h', ({ at }) => at))
        .aggregate({ n: count(), mean: mean((r) => r.fahrenheit), humidity: mean((r) => r.humidity) })
      const report = await run(hourly, {
        into(events) {
          for (const { key, window, n, mean: degrees, humidity } of events) {
            const hour = new Date(window.startMs).toISOString().slice(0, 13)
            const [rowsOf, meanF, meanRh] = hours.get(`${key} ${hour}`) ?? []
            equal(n, Number(rowsOf), `${key} ${hour}`)
            ok(near(degrees, Number(meanF)), `${key} ${hour}: ${degrees} is not ${meanF}`)
            ok(meanRh === '' ? humidity === null : near(humidity, Number(meanRh)), `${key} ${hour}`)
            found += 1
          }
        },
      })
      deepEqual([found, report.late, report.dead], [hours.size, 0, 0])
    })

    it('give sums over all time, and sessions with no more than a quarter of an hour between readings', {
      skip,
    }, async () => {
      const { sensors } = expected()
      const all = await collect(
        bySensor.aggregate({
          n: count(),
          min: min((r) => r.fahrenheit),
          max: max((r) => r.fahrenheit),
          mean: mean((r) => r.fahrenheit),
        }),
      )
      equal(all.length, Object.keys(sensors).length)
      for (const { key, n, min: least, max: most, mean: degrees } of all) {
        const { fahrenheit } = sensors[key] ?? {}
        equal(n, fahrenheit?.n)
        ok(
          near(least, fahrenheit?.min ?? 0) && near(most, fahrenheit?.max ?? 0) && near(degrees, fahrenheit?.mean ?? 0),
        )
      }
      const gapMs = 15 * 60_000 + 1
      const sessions = await collect(
        bySensor.window(session(gapMs, ({ at }) => at, { outOfOrderness: '1h' })).aggregate({ n: count() }),
      )
      for (const [sensor, { sessions_gap_15m: number }] of Object.entries(sensors)) {
        equal(sessions.filter(({ key }) => key === sensor).length, number, sensor)
      }
    })

    it('give windows of an hour that begin every ten minutes', { skip }, async () => {
      const windows = await collect(
        bySensor.window(sliding('60m', '10m', ({ at }) => at, { outOfOrderness: '1h' })).aggregate({ n: count() }),
      )
      for (const [sensor, { sliding_60m_by_10m: of }] of Object.entries(expected().sensors)) {
        const counts = windows.filter(({ key }) => key === sensor).map(({ n }) => n)
        deepEqual(
          {
            windows: counts.length,
            fullest: Math.max(...counts),
            sum_of_counts: counts.reduce((all, n) => all + n, 0),
          },
          { windows: of.windows, fullest: of.fullest, sum_of_counts: of.sum_of_counts },
          sensor,
        )
      }
    })
  })
}

import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { collect, fileSource, flow, type LineFormat } from 'sluice'
import { climate, fahrenheitOf, type Reading } from '../examples/sensors/climate.ts'
import { house } from '../examples/sensors/house.ts'
import { ROOT } from './support/project.ts'

const DATA = join(ROOT, '../shared/data/sensor-luftdaten')
const skip = existsSync(DATA) ? false : 'the reference data is not beside the project'

/** Day files of two sensors, with columns by the names in their first lines. */
const recorded: LineFormat<Reading | undefined> = {
  name: 'recorded',
  open: (head) => {
    const [header = ''] = head()
    const names = header.split(';')
    return (line) => {
      const fields = line.split(';')
      const field = (name: string) => fields[names.indexOf(name)] ?? ''
      if (line === header) return undefined
      return {
        sensor: field('sensor_id'),
        at: Date.parse(`${field('timestamp')}Z`),
        celsius: Number(field('temperature')),
        humidity: Number(field('humidity')),
      }
    }
  },
}

describe('the climate of sensors', () => {
  it('is what the reference says of recorded readings', { skip }, async () => {
    const table = gunzipSync(readFileSync(join(DATA, 'expected-hourly.tsv.gz'))).toString()
    const expected = new Map(
      table
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((row) => [row.split('\t').slice(0, 2).join(' '), row.split('\t').slice(2).map(Number)]),
    )
    const readings = flow(fileSource(`${DATA}/*.csv.gz`, recorded)).filter((one) => one !== undefined)
    // Early results come first, and the last one of a window is what counts.
    const last = new Map(
      (await collect(climate(readings, '1h', '24h'))).map((row) => [`${row.sensor} ${row.start}`, row]),
    )
    equal(last.size, expected.size)
    for (const { sensor, start, readings: n, meanF, meanHumidity, minF, maxF, p95F } of last.values()) {
      const [count, mean, humidity] = expected.get(`${sensor} ${new Date(start).toISOString().slice(0, 13)}`) ?? []
      equal(n, count)
      ok(Math.abs(Number(meanF) - Number(mean)) < 1e-6)
      ok(Math.abs(Number(meanHumidity) - Number(humidity)) < 1e-6)
      ok(Number(minF) <= Number(meanF) + 1e-9 && Number(meanF) <= Number(maxF) + 1e-9)
      ok(Number(p95F) <= Number(maxF) * 1.02)
    }
  })

  it('counts a reading once that is sent twice, and leaves out what is not one', async () => {
    const one: Reading = { sensor: 'a', at: 1000, celsius: 20, humidity: 50 }
    const sent = [
      one,
      one,
      { ...one, at: 2000, celsius: 30, humidity: null },
      { ...one, celsius: 999 },
      { sensor: 'a' },
      7,
    ]
    const rows = await collect(climate(flow<unknown>(sent), '1m', '0s'))
    deepEqual(rows.at(-1), {
      sensor: 'a',
      start: 0,
      end: 60_000,
      isFinal: true,
      readings: 2,
      meanF: 77,
      minF: 68,
      maxF: 86,
      p95F: rows.at(-1)?.p95F,
      meanHumidity: 50,
      maxHumidity: 50,
    })
    equal(fahrenheitOf(-40), -40)
  })
})

describe('a house of sensors', () => {
  const rounds = (seed: number, count: number) => {
    const sent = house({ sensors: 50, everyMs: 10_000, startMs: 0, seed })
    return Array.from({ length: count }, () => sent.next().value ?? []).flat()
  }

  it('sends the same for the same seed', () => {
    deepEqual(rounds(3, 50), rounds(3, 50))
  })

  it('has gaps, late and doubled readings, and some that are invalid', () => {
    const sent = rounds(1, 200)
    const bodies = sent.map(({ body }) => body)
    ok(sent.length < 50 * 200)
    ok(new Set(bodies).size < bodies.length)
    const isSound = (body: string) => body.endsWith('}') && JSON.parse(body).celsius < 100
    ok(bodies.some((body) => !isSound(body)))
    const times = bodies.filter(isSound).map((body) => JSON.parse(body).at as number)
    ok(times.some((at, index) => index > 0 && at < (times[index - 1] ?? 0) - 10_000))
  })
})

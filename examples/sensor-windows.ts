// Hourly means of each sensor, in degrees Fahrenheit. Repeated readings count once; readings without a value do not count.

import { collect, count, fileSource, flow, type LineFormat, mean, tumbling } from 'sluice'

type Reading = { sensor: string; at: number; fahrenheit: number; humidity: number }

/** Columns by the names in each file's first line. */
const readings: LineFormat<Reading | undefined> = {
  name: 'readings',
  open: (head) => {
    const [header = ''] = head()
    const place = new Map(header.split(';').map((name, index) => [name, index]))
    return (line) => {
      const fields = line.split(';')
      const field = (name: string): string => fields[place.get(name) ?? -1] ?? ''
      if (line === header || field('temperature') === '') return undefined
      const at = Date.parse(`${field('timestamp')}Z`)
      const fahrenheit = (Number(field('temperature')) * 9) / 5 + 32
      return { sensor: field('sensor') || field('sensor_id'), at, fahrenheit, humidity: Number(field('humidity')) }
    }
  },
}

const hourly = flow(fileSource(process.env.INPUT ?? `${import.meta.dirname}/data/sensors.csv`, readings))
  .filter((reading) => reading !== undefined)
  .uniq('sensor', 'at')
  .keyBy('sensor')
  .window(tumbling('1h', 'at', { outOfOrderness: '24h' }))
  .aggregate({ n: count(), mean: mean('fahrenheit'), humidity: mean('humidity') })

export default hourly

if (import.meta.main) {
  for (const { sensor, windowStart, n, mean: degrees } of await collect(hourly)) {
    console.log(`${sensor} ${new Date(windowStart).toISOString().slice(11, 16)} ${degrees?.toFixed(1)} °F of ${n}`)
  }
}

// Prints:
// cellar 10:00 48.2 °F of 3
// attic 10:00 69.8 °F of 1
// attic 11:00 73.4 °F of 1
// cellar 11:00 50.0 °F of 1
// attic 12:00 71.6 °F of 1

// The minimum, mean and maximum temperature of each station, from lines like "Oslo;4.2": the one billion row challenge.

import { collect, csvSource, flow, max, mean, min } from 'sluice'

const readings = csvSource(process.env.INPUT ?? `${import.meta.dirname}/data/stations.txt`, {
  delimiter: ';',
  quote: false,
  header: ['station', 'celsius'],
  columns: { station: 'text', celsius: 'real' },
  splitBytes: 4 * 1024 * 1024,
})

const stations = flow(readings)
  .keyBy('station')
  .aggregate({ min: min('celsius'), mean: mean('celsius'), max: max('celsius') })
  .sort('station')

export default stations

if (import.meta.main) {
  for (const { station, ...degrees } of await collect(stations)) {
    console.log(`${station}=${[degrees.min, degrees.mean, degrees.max].map((n) => n?.toFixed(1)).join('/')}`)
  }
}

// Prints:
// Accra=28.4/29.7/31.0
// Oslo=-3.5/0.5/4.2
// Łódź=-1.1/4.4/9.9

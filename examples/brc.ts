// The minimum, mean and maximum temperature of each station, from lines like "Oslo;4.2": the one billion row challenge.

import { collect, flow, lines, max, mean, min } from 'sluice'

interface Reading {
  readonly station: string
  readonly celsius: number
}

const stations = flow(lines(process.env.INPUT ?? `${import.meta.dirname}/data/stations.txt`))
  .map((line): Reading => {
    const at = line.indexOf(';')
    return { station: line.slice(0, at), celsius: Number(line.slice(at + 1)) }
  })
  .keyBy(({ station }) => station)
  .aggregate({ min: min(celsius), mean: mean(celsius), max: max(celsius) })

function celsius(reading: Reading): number {
  return reading.celsius
}

export default stations

if (import.meta.main) {
  const found = (await collect(stations)).sort((a, b) => (a.key < b.key ? -1 : 1))
  for (const { key, ...degrees } of found) {
    console.log(`${key}=${[degrees.min, degrees.mean, degrees.max].map((n) => n?.toFixed(1)).join('/')}`)
  }
}

// Prints:
// Accra=28.4/29.7/31.0
// Oslo=-3.5/0.5/4.2
// Łódź=-1.1/4.4/9.9

// The flows that are measured, over lines of text: each worker imports this module. User code is strings and objects, as
// in the examples.

import { count, flow, lines, max, mean, min, sum, tumbling } from 'sluice'

const input = process.env.INPUT || 'no such file'

export const wordcount = flow(lines(input))
  .flatMap((line) => line.split(' '))
  .keyBy((word) => word)
  .aggregate({ n: count() })

const REQUEST =
  /^(\S+) (\S+) (\S+) \[([^\]]+)\] "([A-Z]+) ([^ "]+) (HTTP\/\d\.\d)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"$/

interface Request {
  readonly group: string
  readonly bytes: number
}

/** The naive program's own expression: a line that does not match is a group of its own. */
function requestOf(line: string): Request {
  const found = REQUEST.exec(line)
  if (found === null) return { group: '', bytes: 0 }
  const target = found[6] ?? ''
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  return { group: `${found[8]} ${path}`, bytes: found[9] === '-' ? 0 : Number(found[9]) }
}

export const accesslog = flow(lines(input))
  .map(requestOf)
  .keyBy(({ group }) => group)
  .aggregate({ requests: count(), bytes: sum(({ bytes }) => bytes) })

const station = (line: string): { station: string; celsius: number } => {
  const at = line.indexOf(';')
  return { station: line.slice(0, at), celsius: Number(line.slice(at + 1)) }
}

export const brc = flow(lines(input))
  .map(station)
  .keyBy((reading) => reading.station)
  .aggregate({
    n: count(),
    min: min(({ celsius }) => celsius),
    mean: mean(({ celsius }) => celsius),
    max: max(({ celsius }) => celsius),
  })

const reading = (line: string): { sensor: string; at: number; fahrenheit: number } => {
  const [sensor = '', at, celsius] = line.split(',')
  return { sensor, at: Number(at), fahrenheit: (Number(celsius) * 9) / 5 + 32 }
}

// Readings are up to some seconds late: none is dropped, as in the programs beside this one.
export const windows = flow(lines(input))
  .map(reading)
  .keyBy(({ sensor }) => sensor)
  .window(tumbling('1m', ({ at }) => at, { outOfOrderness: '10m' }))
  .aggregate({ n: count(), mean: mean(({ fahrenheit }) => fahrenheit) })

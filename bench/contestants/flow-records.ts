// The questions of flow-lines.ts over typed records of a projection, with functions of each record.

import { accessLog, count, csvSource, fileSource, flow, max, mean, min, sum, tumbling } from 'sluice'

const input = process.env.INPUT || 'no such file'
/** Ranges that threads share: each costs some milliseconds to begin. */
const splitBytes = 8 * 1024 * 1024

// A line whose request names no path, such as a TLS hello, is malformed to the reference programs.
export const accesslog = flow(fileSource(input, accessLog(), { splitBytes }))
  .where('path', 'is not', null)
  .select('status', 'path', 'bytes')
  .keyBy(({ status, path }) => `${status} ${path}`)
  .aggregate({ requests: count(), bytes: sum(({ bytes }) => bytes ?? 0) })

export const brc = flow(
  csvSource(input, {
    delimiter: ';',
    header: ['station', 'celsius'],
    columns: { station: 'text', celsius: 'real' },
    quotedNewlines: false,
    splitBytes,
  }),
)
  .keyBy(({ station }) => station ?? '')
  .aggregate({
    n: count(),
    min: min(({ celsius }) => celsius),
    mean: mean(({ celsius }) => celsius),
    max: max(({ celsius }) => celsius),
  })

export const windows = flow(
  csvSource(input, {
    header: ['sensor', 'at', 'celsius', 'humidity'],
    columns: { sensor: 'text', at: 'integer', celsius: 'real' },
    quotedNewlines: false,
    splitBytes,
  }),
)
  .map(({ sensor, at, celsius }) => ({ sensor, at, fahrenheit: ((celsius ?? 0) * 9) / 5 + 32 }))
  .keyBy(({ sensor }) => sensor ?? '')
  .window(tumbling('1m', ({ at }) => at ?? 0, { outOfOrderness: '10m' }))
  .aggregate({ n: count(), mean: mean(({ fahrenheit }) => fahrenheit) })

// The same questions, with fields by name instead of functions of each record.

import { accessLog, count, csvSource, fileSource, flow, lines, max, mean, min, sum, tumbling } from 'sluice'

const input = process.env.INPUT || 'no such file'
/** Ranges that threads share: each costs some milliseconds to begin. */
const splitBytes = 8 * 1024 * 1024

export const wordcount = flow(lines(input, { rows: true }))
  .split('text', ' ')
  .keyBy('text')
  .aggregate({ n: count() })

// A line whose request names no path, such as a TLS hello, is malformed to the reference programs.
export const accesslog = flow(fileSource(input, accessLog(), { splitBytes }))
  .where('path', 'is not', null)
  .keyBy('status', 'path')
  .aggregate({ requests: count(), bytes: sum('bytes') })

export const brc = flow(
  csvSource(input, {
    delimiter: ';',
    header: ['station', 'celsius'],
    columns: { station: 'text', celsius: 'real' },
    quotedNewlines: false,
    splitBytes,
  }),
)
  .keyBy('station')
  .aggregate({ n: count(), min: min('celsius'), mean: mean('celsius'), max: max('celsius') })

export const windows = flow(
  csvSource(input, {
    header: ['sensor', 'at', 'celsius', 'humidity'],
    columns: { sensor: 'text', at: 'integer', celsius: 'real' },
    quotedNewlines: false,
    splitBytes,
  }),
)
  .derive('fahrenheit', ['celsius'], (celsius) => ((celsius ?? 0) * 9) / 5 + 32)
  .keyBy('sensor')
  .window(tumbling('1m', 'at', { outOfOrderness: '10m' }))
  .aggregate({ n: count(), mean: mean('fahrenheit') })

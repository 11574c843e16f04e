// Readings of sensors into one-minute windows, with what came before: a pipeline that remembers, by functions or by names.

import { count, type Flow, max, ndjsonSource, param, pipeline, sqliteSink, sum, tumbling } from 'sluice'

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number
}

const TIME = { outOfOrderness: '365d', futureLimit: '3650d' } as const

function byNames(readings: Flow<Reading>) {
  return readings
    .where('celsius', '<', 90)
    .keyBy('sensor')
    .window(tumbling('1m', 'at', TIME))
    .aggregate({ n: count(), total: sum('celsius'), top: max('celsius') })
    .select({ sensor: 'sensor', start: 'windowStart', n: 'n', total: 'total', top: 'top' })
}

function byFunctions(readings: Flow<Reading>): ReturnType<typeof byNames> {
  return readings
    .filter(({ celsius }) => celsius < 90)
    .keyBy(({ sensor }) => sensor)
    .window(tumbling('1m', ({ at }) => at, TIME))
    .aggregate({ n: count(), total: sum(({ celsius }) => celsius), top: max(({ celsius }) => celsius) })
    .map(({ key, window, ...row }) => ({ sensor: key, start: window.startMs, ...row }))
}

export default pipeline('windows', {
  params: { input: param.string('in.ndjson'), db: param.string('out.db'), by: param.string('functions') },
  from: ({ input }) => ndjsonSource<Reading>(input, { splitBytes: 32_768 }),
  flow: (readings, { by }) => (by === 'names' ? byNames(readings) : byFunctions(readings)),
  into: ({ db }) => sqliteSink(db, { table: 'minutes', key: ['sensor', 'start'], columns: COLUMNS }),
})

/** Of both, so that tables are alike. */
const COLUMNS = { sensor: 'text', start: 'integer', n: 'integer', total: 'integer', top: 'integer' } as const

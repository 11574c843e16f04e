// Readings of sensors into one-minute windows that close a quarter of an hour behind the latest.

import { count, max, ndjsonSource, param, pipeline, sqliteSink, sum, tumbling } from 'sluice'

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number
}

export default pipeline('minutes', {
  params: { input: param.string('in.ndjson'), db: param.string('out.db') },
  from: ({ input }) => ndjsonSource<Reading>(input),
  flow: (readings) =>
    readings
      .keyBy(({ sensor }) => sensor)
      .window(tumbling('1m', ({ at }) => at, { outOfOrderness: '15m', futureLimit: '1d' }))
      .aggregate({ n: count(), total: sum(({ celsius }) => celsius), top: max(({ celsius }) => celsius) })
      .map(({ key, window, ...row }) => ({ sensor: key, start: window.startMs, ...row })),
  into: ({ db }) => sqliteSink(db, { table: 'minutes', key: ['sensor', 'start'] }),
})

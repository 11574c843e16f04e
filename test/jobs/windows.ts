// Readings of sensors into one-minute windows, with what came before: a pipeline that remembers.

import { count, max, ndjsonSource, param, pipeline, sqliteSink, sum, tumbling } from 'sluice'

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number
}

export default pipeline('windows', {
  params: { input: param.string('in.ndjson'), db: param.string('out.db') },
  from: ({ input }) => ndjsonSource<Reading>(input, { splitBytes: 32_768 }),
  flow: (readings) =>
    readings
      .filter(({ celsius }) => celsius < 90)
      .keyBy(({ sensor }) => sensor)
      .window(tumbling('1m', ({ at }) => at, { outOfOrderness: '365d', futureLimit: '3650d' }))
      .aggregate({ n: count(), total: sum(({ celsius }) => celsius), top: max(({ celsius }) => celsius) })
      .map(({ key, window, ...row }) => ({ sensor: key, start: window.startMs, ...row })),
  into: ({ db }) => sqliteSink(db, { table: 'minutes', key: ['sensor', 'start'] }),
})

// A total over events of which none is left.

import { count, param, pipeline, sqliteSink, valuesSource } from 'sluice'

export default pipeline('nothing', {
  params: { db: param.string('out.db') },
  from: () => valuesSource([{ n: 1 }, { n: 2 }]),
  flow: (rows) =>
    rows
      .filter(({ n }) => n > 9)
      .keyBy(({ n }) => n)
      .aggregate({ n: count() })
      .aggregate({ n: count() })
      .map((row) => ({ ...row, name: 'all' })),
  into: ({ db }) => sqliteSink(db, { table: 'totals', key: ['name'] }),
})

// Functions that throw: for one event, or for all of them together.

import { fold, param, pipeline, sqliteSink, valuesSource } from 'sluice'

export default pipeline('throws', {
  params: { at: param.choice(['map', 'fold', 'nowhere'], 'map'), db: param.string('out.db') },
  from: () => valuesSource([1, 2, 3, 4].map((n) => ({ n }))),
  flow: (rows, { at }) =>
    rows
      .map(
        (row) => {
          if (at === 'map' && row.n === 3) throw new RangeError('three is not wanted')
          return row
        },
        { name: 'careful' },
      )
      .keyBy(({ n }) => n)
      .aggregate(
        {
          all: fold({
            create: () => 0,
            add(sum, { n }: { n: number }) {
              if (at === 'fold' && n === 3) throw new RangeError('three cannot be added')
              return sum + n
            },
            merge: (a, b) => a + b,
          }),
        },
        { name: 'sums' },
      ),
  into: ({ db }) => sqliteSink(db, { table: 'sums', key: ['key'] }),
})

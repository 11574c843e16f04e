// Numbers, of which those over a parameter are dead letters: mended by another value of it.

import { ndjsonSource, param, pipeline, sqliteSink } from 'sluice'

interface Row {
  readonly n: number
}

export default pipeline('mended', {
  params: { input: param.string('in.ndjson'), db: param.string('out.db'), most: param.number(10) },
  from: ({ input }) => ndjsonSource<Row>(input),
  flow: (rows, { most }) =>
    rows.map(
      (row) => {
        if (row.n > most) throw new RangeError('too much')
        return row
      },
      { name: 'small' },
    ),
  into: ({ db }) => sqliteSink(db, { table: 't', columns: { n: 'integer' }, key: ['n'] }),
})

// A table, by ranges, into each kind of store that several copies may share.

import { param, pipeline, sqliteSource } from 'sluice'
import { postgresSource } from 'sluice/postgres'
import { into } from './shared-load.ts'

interface Row {
  readonly n: number
  readonly part: number
}

const BY_RANGES = {
  table: 'numbers',
  ranges: { column: 'part', at: [5, 10, 15, 20, 25, 30, 35] },
  cursor: 'n',
} as const

export default pipeline('load', {
  params: { input: param.string(''), out: param.string('') },
  from: ({ input }) =>
    input.startsWith('postgres:') ? postgresSource<Row>(input, BY_RANGES) : sqliteSource<Row>(input, BY_RANGES),
  flow: (rows) =>
    rows.map(({ n }) => {
      if (Number(n) % 100 === 7) throw new Error('no number of ours')
      return { n: Number(n) }
    }),
  into: ({ out }) => into(out),
})

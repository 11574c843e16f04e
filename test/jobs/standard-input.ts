// Loads the numbers that are typed, or piped, into SQLite. Parameter: out.

import { fileSource, json, param, pipeline, sqliteSink } from 'sluice'

export default pipeline('standard-input', {
  params: { out: param.string('out.db') },
  from: () => fileSource('-', json<{ n: number }>()),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

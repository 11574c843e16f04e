// Loads the numbers that are typed, or piped, into SQLite. Parameter: out.

import { files, json, param, pipeline, sqlite } from 'sluice'

export default pipeline('standard-input', {
  params: { out: param.string('out.db') },
  from: () => files('-', json<{ n: number }>()),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

// Loads what is posted, which are numbers, into SQLite. Parameters: port, out.

import { json, param, pipeline, sqlite, webhook } from 'sluice'

export default pipeline('webhook', {
  params: { port: param.number(0), out: param.string('out.db') },
  from: ({ port }) => webhook({ port, path: '/numbers' }, json<{ n: number }>()),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

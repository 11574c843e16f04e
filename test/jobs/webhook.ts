// Loads what is posted, which are numbers, into SQLite. Parameters: port, out.

import { json, param, pipeline, sqliteSink, webhookSource } from 'sluice'

export default pipeline('webhook', {
  params: { port: param.number(0), out: param.string('out.db') },
  from: ({ port }) => webhookSource({ port, path: '/numbers' }, json<{ n: number }>()),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

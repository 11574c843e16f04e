// Loads the numbers that a server sends as events into SQLite. Parameters: url, out.

import { json, param, pipeline, sqliteSink, sseSource } from 'sluice'

export default pipeline('server-sent-events', {
  params: { url: param.string('http://127.0.0.1'), out: param.string('out.db') },
  from: ({ url }) => sseSource(url, json<{ n: number }>()),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

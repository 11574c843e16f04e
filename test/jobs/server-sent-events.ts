// Loads the numbers that a server sends as events into SQLite. Parameters: url, out.

import { json, param, pipeline, serverSentEvents, sqlite } from 'sluice'

export default pipeline('server-sent-events', {
  params: { url: param.string('http://127.0.0.1'), out: param.string('out.db') },
  from: ({ url }) => serverSentEvents(url, json<{ n: number }>()),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

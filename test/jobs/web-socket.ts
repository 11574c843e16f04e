// Loads the numbers that a server sends over a WebSocket into SQLite. Parameters: url, out.

import { json, param, pipeline, sqliteSink } from 'sluice'
import { webSocketSource } from 'sluice/websocket'

export default pipeline('web-socket', {
  params: { url: param.string('ws://127.0.0.1'), out: param.string('out.db') },
  from: ({ url }) => webSocketSource(url, json<{ n: number }>(), { greeting: ['all'] }),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

// Loads the numbers that a server sends over a WebSocket into SQLite. Parameters: url, out.

import { json, param, pipeline, sqlite } from 'sluice'
import { webSocket } from 'sluice/websocket'

export default pipeline('web-socket', {
  params: { url: param.string('ws://127.0.0.1'), out: param.string('out.db') },
  from: ({ url }) => webSocket(url, json<{ n: number }>(), { greeting: ['all'] }),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

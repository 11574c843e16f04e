// Loads messages of a NATS stream, that are numbers, into SQLite. Parameters: url, out.

import { json, param, pipeline, sqlite } from 'sluice'
import { nats } from 'sluice/nats'

export default pipeline('nats', {
  params: { url: param.string('nats://localhost'), out: param.string('out.db') },
  from: ({ url }) => nats(url, json<{ n: number }>(), { stream: 'NUMBERS', subject: 'numbers.>' }),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

// Loads messages of a NATS stream, that are numbers, into SQLite. Parameters: url, out.

import { json, param, pipeline, sqliteSink } from 'sluice'
import { natsSource } from 'sluice/nats'

export default pipeline('nats', {
  params: { url: param.string('nats://localhost'), out: param.string('out.db') },
  from: ({ url }) => natsSource(url, json<{ n: number }>(), { stream: 'NUMBERS', subject: 'numbers.>' }),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

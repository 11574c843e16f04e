// Loads messages of a queue, that are numbers, into SQLite. Parameters: url, out.

import { json, param, pipeline, sqliteSink } from 'sluice'
import { rabbitmqSource } from 'sluice/rabbitmq'

export default pipeline('rabbitmq', {
  params: { url: param.string('amqp://localhost'), out: param.string('out.db') },
  from: ({ url }) => rabbitmqSource(url, json<{ n: number }>(), { queue: 'numbers' }),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

// Loads messages of a queue, that are numbers, into SQLite. Parameters: url, out.

import { json, param, pipeline, sqlite } from 'sluice'
import { rabbitmq } from 'sluice/rabbitmq'

export default pipeline('rabbitmq', {
  params: { url: param.string('amqp://localhost'), out: param.string('out.db') },
  from: ({ url }) => rabbitmq(url, json<{ n: number }>(), { queue: 'numbers' }),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

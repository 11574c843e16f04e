// Loads records of a Kafka topic, that are numbers, into SQLite. Parameters: urls (with commas between), out.

import { json, param, pipeline, sqlite } from 'sluice'
import { kafka } from 'sluice/kafka'

export default pipeline('kafka', {
  params: { urls: param.string('kafka://localhost'), out: param.string('out.db') },
  from: ({ urls }) => kafka(urls.split(','), json<{ n: number }>(), { topic: 'numbers', group: 'loaders' }),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

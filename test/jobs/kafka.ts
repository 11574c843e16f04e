// Loads records of a Kafka topic, that are numbers, into SQLite. Parameters: urls (with commas between), out.

import { json, param, pipeline, sqliteSink } from 'sluice'
import { kafkaSource } from 'sluice/kafka'

export default pipeline('kafka', {
  params: { urls: param.string('kafka://localhost'), out: param.string('out.db') },
  from: ({ urls }) => kafkaSource(urls.split(','), json<{ n: number }>(), { topic: 'numbers', group: 'loaders' }),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

// Loads entries of a Redis stream, that are numbers, into SQLite. Parameters: url, out, group (none if empty).

import { json, param, pipeline, sqliteSink } from 'sluice'
import { redisStreamSource } from 'sluice/redis'

export default pipeline('redis', {
  params: { url: param.string('redis://localhost'), out: param.string('out.db'), group: param.string('') },
  from: ({ url, group }) =>
    redisStreamSource(url, json<{ n: number }>(), { stream: 'numbers', ...(group === '' ? {} : { group }) }),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})

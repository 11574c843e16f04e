// Loads entries of a Redis stream, that are numbers, into SQLite. Parameters: url, out, group (none if empty).

import { json, param, pipeline, sqlite } from 'sluice'
import { redisStream } from 'sluice/redis'

export default pipeline('redis', {
  params: { url: param.string('redis://localhost'), out: param.string('out.db'), group: param.string('') },
  from: ({ url, group }) =>
    redisStream(url, json<{ n: number }>(), { stream: 'numbers', ...(group === '' ? {} : { group }) }),
  into: ({ out }) => sqlite<{ n: number }>(out, { table: 'numbers' }),
})

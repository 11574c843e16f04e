// Loads the lines of a file into a Redis stream. Parameters: input, url, out.

import { checkpointed, lines, param, pipeline } from 'sluice'
import { redisStreamSink } from 'sluice/redis'

export default pipeline('redis-add', {
  params: { input: param.string('in.log'), url: param.string('redis://localhost'), out: param.string('state.db') },
  from: ({ input }) => lines(input),
  into: ({ url, out }) => {
    const sink = redisStreamSink<string>(url, { stream: 'lines', fields: (line) => ({ line }) })
    return checkpointed(sink, { store: out })
  },
})

// The soak's load of a log that grows and is rotated into PostgreSQL. Parameters: input, store.

import { json, param, pipeline, tail } from 'sluice'
import { postgres } from 'sluice/postgres'

interface Line {
  readonly n: number
  readonly at: number
  readonly text: string
}

export default pipeline('soak-logs', {
  params: { input: param.string('app.log'), store: param.string('') },
  from: ({ input }) => tail(input, json<Line>()),
  into: ({ store }) => postgres<Line>(store, { table: 'lines' }),
})

// The soak's load of a log that grows and is rotated into PostgreSQL. Parameters: input, store.

import { json, param, pipeline, tailSource } from 'sluice'
import { postgresSink } from 'sluice/postgres'

interface Line {
  readonly n: number
  readonly at: number
  readonly text: string
}

export default pipeline('soak-logs', {
  params: { input: param.string('app.log'), store: param.string('') },
  from: ({ input }) => tailSource(input, json<Line>()),
  into: ({ store }) => postgresSink<Line>(store, { table: 'lines' }),
})

import { csv, param, pipeline, sqlite } from 'sluice'

export default pipeline('foreign', {
  params: { input: param.string('-', 'a CSV file'), db: param.string('out.db', 'database') },
  from: ({ input }) => csv(input),
  into: ({ db }) => sqlite(db, { table: 't' }),
})

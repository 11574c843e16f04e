import { csvSource, param, pipeline, sqliteSink } from 'sluice'

export default pipeline('foreign', {
  params: { input: param.string('-', 'a CSV file'), db: param.string('out.db', 'database') },
  from: ({ input }) => csvSource(input),
  into: ({ db }) => sqliteSink(db, { table: 't' }),
})

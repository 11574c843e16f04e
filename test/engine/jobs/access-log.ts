// The access log of a web server into a table, by the place of each record.

import { accessLog, fileSource, param, pipeline, sqliteSink } from 'sluice'

export default pipeline('access-log', {
  params: { input: param.string('*.log'), db: param.string('out.db') },
  from: ({ input }) => fileSource(input, accessLog(), { splitBytes: 200_000 }),
  flow: (requests) => requests.filter(({ status }) => status !== 304),
  into: ({ db }) => sqliteSink(db, { table: 'requests', key: ['file', 'offset'] }),
})

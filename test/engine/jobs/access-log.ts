// The access log of a web server into a table, by the place of each record.

import { accessLog, fileSource, param, pipeline } from 'sluice'
import { tableIn } from '../../support/table-in.ts'

export default pipeline('access-log', {
  params: { input: param.string('*.log'), db: param.string('out.db') },
  from: ({ input }) => fileSource(input, accessLog(), { splitBytes: 200_000 }),
  flow: (requests) => requests.filter(({ status }) => status !== 304),
  into: ({ db }) => tableIn(db, 'requests', ['file', 'offset']),
})

// An access log into four sinks: all requests, errors beside them, those that failed in another database, and files to keep.

import { type AccessRequest, accessLog, fanOut, fileSource, ndjsonSink, param, pipeline, sqliteSink } from 'sluice'
import { duckdbSink } from 'sluice/duckdb'

export default pipeline('several', {
  params: { input: param.string('*.log'), to: param.string('.') },
  from: ({ input }) => fileSource(input, accessLog()),
  into: ({ to }) =>
    fanOut<AccessRequest>(sqliteSink(`${to}/requests.db`, { table: 'requests', key: ['file', 'offset'] }), {
      spool: `${to}/spool`,
      branches: {
        failed: { into: duckdbSink(`${to}/failed.duckdb`, { table: 'failed' }), where: ({ status }) => status >= 400 },
        errors: { into: sqliteSink(`${to}/requests.db`, { table: 'errors' }), where: ({ status }) => status >= 404 },
        archive: {
          into: ndjsonSink(`${to}/archive`),
          map: ({ file, offset, path }) => ({ file, offset, path }),
        },
      },
    }),
})

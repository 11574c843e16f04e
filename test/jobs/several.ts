// An access log into four sinks: all requests, errors beside them, those that failed in another database, and files to keep.

import { type AccessRequest, accessLog, files, ndjsonFiles, param, pipeline, several, sqlite } from 'sluice'
import { duckdb } from 'sluice/duckdb'

export default pipeline('several', {
  params: { input: param.string('*.log'), to: param.string('.') },
  from: ({ input }) => files(input, accessLog()),
  into: ({ to }) =>
    several<AccessRequest>(sqlite(`${to}/requests.db`, { table: 'requests', key: ['file', 'offset'] }), {
      spool: `${to}/spool`,
      branches: {
        failed: { into: duckdb(`${to}/failed.duckdb`, { table: 'failed' }), where: ({ status }) => status >= 400 },
        errors: { into: sqlite(`${to}/requests.db`, { table: 'errors' }), where: ({ status }) => status >= 404 },
        archive: {
          into: ndjsonFiles(`${to}/archive`),
          map: ({ file, offset, path }) => ({ file, offset, path }),
        },
      },
    }),
})

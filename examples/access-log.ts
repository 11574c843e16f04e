// Loads web server logs into SQLite. Run: sluice run examples/access-log.ts --param input='logs/*.gz' --param db=out.db
import { accessLog, fileSource, param, pipeline, sqliteSink } from 'sluice'

export default pipeline('access-log', {
  about: 'Loads web server logs (Apache, nginx; plain, gzip, zstd) into the table requests of a SQLite database',
  params: {
    input: param.string('logs/*.log*', 'files to read: paths or globs, separated by commas; - for standard input'),
    db: param.string('warehouse.db', 'SQLite database to fill'),
  },
  from: ({ input }) => fileSource(input, accessLog()),
  into: ({ db }) => sqliteSink(db, { table: 'requests', key: ['file', 'offset'] }),
  top: { status: (request) => request.status, path: (request) => request.path },
})

// A load of what is piped into it, into the sink that an argument names. It ends itself at a line, as a kill would.
// Arguments: folder, kind of sink, URL, the line. Says on standard error what it has committed.

import { basename } from 'node:path'
import { natsSink } from '../../src/connect/nats/index.ts'
import { redisStreamSink } from '../../src/connect/redis/index.ts'
import {
  checkpointed,
  type Flow,
  fileSource,
  httpSink,
  ndjsonSink,
  pipeline,
  type Sink,
  sqliteSink,
  startPipeline,
  stdoutSink,
  textLines,
} from './sluice.ts'

interface Row {
  readonly id: number
}

const [folder = '', kind = '', url = '', at = ''] = process.argv.slice(2)
const store = `${folder}/state.db`
const place = basename(folder)

const SINKS: Readonly<Record<string, () => Sink<Row>>> = {
  sqlite: () => sqliteSink(`${folder}/out.db`, { table: 't', columns: { id: 'integer' } }),
  ndjsonSink: () => ndjsonSink(`${folder}/out`),
  http: () => checkpointed(httpSink(url), { store }),
  natsSink: () => checkpointed(natsSink<Row>(url, { subject: place }), { store }),
  redisStreamSink: () => checkpointed(redisStreamSink<Row>(url, { stream: place }), { store }),
  stdout: () => checkpointed(stdoutSink(), { store }),
}

const job = pipeline('piped', {
  from: () => fileSource('-', textLines()),
  flow: (lines: Flow<string>): Flow<Row> =>
    lines.map((line): Row => {
      if (line === at) process.kill(process.pid, 'SIGKILL')
      return { id: Number(line) }
    }),
  into: () => (SINKS[kind] as () => Sink<Row>)(),
})
const run = await startPipeline(job, {
  epochEvents: 10,
  epochMs: 20,
  onEvent: (event) => {
    if (event.kind === 'committed') process.stderr.write('committed\n')
  },
})
await run.done

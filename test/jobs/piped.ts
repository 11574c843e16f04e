// A load of what is piped into it, into the sink that an argument names. It ends itself at a line, as a kill would.
// Arguments: folder, kind of sink, URL, the line. Says on standard error what it has committed.

import { basename } from 'node:path'
import { natsPublish } from '../../src/connect/nats/index.ts'
import { redisStreamAdd } from '../../src/connect/redis/index.ts'
import {
  checkpointed,
  type Flow,
  files,
  http,
  ndjsonFiles,
  pipeline,
  type Sink,
  sqlite,
  startPipeline,
  stdout,
  textLines,
} from './sluice.ts'

interface Row {
  readonly id: number
}

const [folder = '', kind = '', url = '', at = ''] = process.argv.slice(2)
const store = `${folder}/state.db`
const place = basename(folder)

const SINKS: Readonly<Record<string, () => Sink<Row>>> = {
  sqlite: () => sqlite(`${folder}/out.db`, { table: 't', columns: { id: 'integer' } }),
  ndjsonFiles: () => ndjsonFiles(`${folder}/out`),
  http: () => checkpointed(http(url), { store }),
  natsPublish: () => checkpointed(natsPublish<Row>(url, { subject: place }), { store }),
  redisStreamAdd: () => checkpointed(redisStreamAdd<Row>(url, { stream: place }), { store }),
  stdout: () => checkpointed(stdout(), { store }),
}

const job = pipeline('piped', {
  from: () => files('-', textLines()),
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

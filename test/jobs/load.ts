// A load of any kind of file into any kind of sink, as its parameters say: what faults are done to.

import { setTimeout as pause } from 'node:timers/promises'
import {
  callbackSink,
  checkpointed,
  csvSource,
  fileSource,
  httpSink,
  ndjsonSink,
  ndjsonSource,
  param,
  pipeline,
  type Sink,
  type Source,
  sqliteSink,
  stdoutSink,
  tailSource,
  textLines,
} from 'sluice'
import { other } from '../support/other-database.ts'

interface Row {
  readonly text: string
}

export default pipeline('load', {
  params: {
    input: param.string('in.log'),
    as: param.choice(['lines', 'ndjson', 'csv', 'tail'], 'lines'),
    into: param.choice(['sqlite', 'other', 'files', 'http', 'stdout', 'slow'], 'sqlite'),
    out: param.string('out', 'a database, a folder, or an address'),
    store: param.string('', 'where checkpoints are, if not beside the rows'),
    timeoutMs: param.number(30_000, 'of one request'),
    retryMs: param.number(120_000, 'of all requests for the same rows'),
  },
  from: ({ as, input }) => sourceOf(as, input),
  flow: (records) => records.map(rowOf, { name: 'row' }),
  into: (params) => sinkOf(params),
})

function sourceOf(as: string, input: string): Source<unknown> {
  if (as === 'ndjson') return ndjsonSource(input)
  if (as === 'csv') return csvSource(input) as Source<unknown>
  return as === 'tail' ? tailSource(input, textLines(), { pollMs: 10, graceMs: 200 }) : fileSource(input, textLines())
}

/** What begins with `bad` is one: no load is without dead letters. */
function rowOf(record: unknown): Row {
  const text = typeof record === 'string' ? record : JSON.stringify(record)
  if (text.startsWith('bad')) throw new RangeError('a bad line')
  return { text }
}

interface SinkParams {
  readonly into: string
  readonly out: string
  readonly store: string
  readonly timeoutMs: number
  readonly retryMs: number
}

function sinkOf({ into, out, store, timeoutMs, retryMs }: SinkParams): Sink<Row> {
  const beside = { store: store === '' ? `${out}.db` : store }
  switch (into) {
    case 'files':
      return ndjsonSink(out, store === '' ? {} : { store })
    case 'http':
      return checkpointed(httpSink<Row>(out, { timeoutMs, retryMs }), beside)
    case 'stdout':
      return checkpointed(stdoutSink<Row>(), beside)
    case 'slow':
      return checkpointed(
        callbackSink('slow', async () => await pause(20)),
        beside,
      )
    case 'other':
      return other(out, { table: 'lines', columns: { text: 'text' } })
    default:
      return sqliteSink(out, { table: 'lines', columns: { text: 'text' } })
  }
}

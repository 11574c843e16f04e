import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AccessRequest,
  accessLog,
  fanOut,
  fileSource,
  ndjsonSink,
  pipeline,
  type Sink,
  sqliteSink,
  textLines,
} from 'sluice'

const numbers: Sink<{ id: number }> = sqliteSink('x.db', { table: 't' })
const names: Sink<{ name: string }> = sqliteSink('x.db', { table: 't' })
const from = () => fileSource('*.log', textLines())

// What is checked here is that it compiles, and what does not.
describe('the types of a pipeline', () => {
  it('go from the source to the sink', () => {
    const job = pipeline('a', {
      from,
      into: () => sqliteSink('x.db', { table: 't' }),
      top: { n: (line) => line.length },
    })
    equal(job.name, 'a')
  })

  it('follow the flow, whatever the sink takes', () => {
    const job = pipeline('b', {
      from,
      flow: (lines) => lines.map((line) => ({ id: Number(line) })),
      into: () => numbers,
      top: { n: (row) => row.id },
    })
    equal(job.name, 'b')
  })

  it('tell a sink that takes other rows', () => {
    const job = pipeline('c', {
      from,
      flow: (lines) => lines.map((line) => ({ id: Number(line) })),
      // @ts-expect-error: rows have no name
      into: () => names,
    })
    equal(job.name, 'c')
  })

  it('reach what routes named rows to several sinks', () => {
    const job = pipeline('d', {
      from: () => fileSource('*.log', accessLog()),
      into: () =>
        fanOut<AccessRequest>(sqliteSink('x.db', { table: 't' }), {
          spool: 'spool',
          branches: { failed: { into: ndjsonSink('failed'), where: ({ status }) => status >= 500 } },
        }),
    })
    equal(job.name, 'd')
  })
})

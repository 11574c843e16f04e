import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { httpSink } from '../connect/http-api/sink.ts'
import { callbackSink } from '../connect/memory/callback.ts'
import { stdoutSink } from '../connect/memory/stdout.ts'
import { valuesSource } from '../connect/memory/values.ts'
import { sqliteSink } from '../connect/sqlite/sink.ts'
import { tumbling } from '../window/window.ts'
import { buildPipeline } from './build.ts'
import { pipeline } from './pipeline.ts'

const from = valuesSource([1, 2])
const into = sqliteSink('out.db', { table: 't' })
/** A pipeline as plain JavaScript may give it. */
const build = (spec: object) => buildPipeline(pipeline('job', { from, into, ...spec }), new Map())
const refused = (spec: object, why: RegExp) =>
  throws(() => build(spec), {
    code: 'CONFIG_INVALID',
    message: new RegExp(`^Cannot build pipeline job: ${why.source}`),
  })

describe('the parts of a pipeline', () => {
  it('L67: are given as they are, or by functions of the parameters', () => {
    const { source, sink } = build({})
    deepEqual([source, sink], [from, into])
    const made = build({ from: () => from, into: () => into })
    deepEqual([made.source, made.sink], [from, into])
  })

  it('L67: refuses a sink that keeps no checkpoints, and says how to wrap it', () => {
    const plain = {
      http: httpSink('http://localhost/rows'),
      stdout: stdoutSink(),
      callback: callbackSink('f', () => {}),
    }
    for (const [kind, sink] of Object.entries(plain)) {
      refused(
        { into: sink },
        new RegExp(`Pipeline job cannot write into ${kind}: it keeps no checkpoints. Wrap it: checkpointed\\(`),
      )
      refused({ into: () => sink }, /Pipeline job cannot write into /)
    }
  })

  it('L67: refuses what is not a source, a flow or a sink, with what it found', () => {
    refused({ from: 'in.csv' }, /Pipeline job reads from a source, such as fileSource\(\.\.\.\): found "in\.csv"/)
    refused({ from: () => into }, /Pipeline job reads from a source/)
    refused({ into: () => undefined }, /Pipeline job writes into a sink, such as sqliteSink\(\.\.\.\): found undefined/)
    refused({ flow: () => 1 }, /Pipeline job: flow must return the flow that it was given, extended$/)
    const open = { flow: (n: { window(of: unknown): unknown }) => n.window(tumbling('1s', (at: number) => at)) }
    refused(open, /Pipeline job: flow must return .*window\(\.\.\.\) and keyBy\(\.\.\.\) are followed by aggregate/)
  })
})

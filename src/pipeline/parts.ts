// The parts of a pipeline, checked at run time: types say the same, where there are types.

import { describeValue } from '../base/check.ts'
import type { Sink } from '../connect/sink.ts'
import type { Source } from '../connect/source.ts'
import { Flow } from '../flow/flow.ts'
import { isSplittable } from '../flow/source.ts'

/** @throws {TypeError} if it is not a source */
export function checkedSource(name: string, source: unknown): Source<unknown> {
  if (isSplittable(source)) return source
  throw new TypeError(`Pipeline ${name} reads from a source, such as fileSource(...): found ${describeValue(source)}`)
}

/**
 * @throws {TypeError} if it is not a flow, or a window or key is not followed by a reduction
 */
export function checkedFlow(name: string, flow: unknown): Flow<unknown, unknown> {
  if (flow instanceof Flow) return flow
  const isReduced = typeof flow === 'object' && flow !== null && 'aggregate' in flow
  const advice = isReduced ? ': window(...) and keyBy(...) are followed by aggregate(...), or by another reduction' : ''
  throw new TypeError(`Pipeline ${name}: flow must return the flow that it was given, extended${advice}`)
}

/** @throws {TypeError} if it is not a sink, or keeps no checkpoints */
export function checkedSink(name: string, sink: unknown): Sink<unknown> {
  const { kind, open, deadLetters } = (sink ?? {}) as Partial<Sink<unknown>>
  if (typeof open !== 'function') {
    throw new TypeError(`Pipeline ${name} writes into a sink, such as sqliteSink(...): found ${describeValue(sink)}`)
  }
  if (typeof deadLetters === 'string') return sink as Sink<unknown>
  throw new TypeError(
    `Pipeline ${name} cannot write into ${kind}: it keeps no checkpoints. Wrap it: checkpointed(${kind}(...), { store: 'FILE.db' })`,
  )
}

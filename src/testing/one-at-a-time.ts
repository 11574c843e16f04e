// Sinks whose writers are called as the contract requires: one call at a time.

import { invariant } from '../base/invariant.ts'
import { isPromise } from '../base/promise.ts'
import type { Sink, SinkWriter } from '../connect/sink.ts'

/**
 * The same sink, whose writers fail if a call comes before the previous one has ended: `write` while `commit` is under
 * way, `writeDeadLetters` while `write` is. Only `renewLease` may come at any time, and `close` once the run is
 * aborted.
 *
 * @example
 * const sink = oneAtATime(sqliteSink('out.db', { table: 'rows' }))
 */
export function oneAtATime<Row>(sink: Sink<Row>): Sink<Row> {
  return { ...sink, open: async (options) => watched(await sink.open(options), options.signal) }
}

function watched<Row>(writer: SinkWriter<Row>, signal: AbortSignal | undefined): SinkWriter<Row> {
  /** The call that has not ended. */
  let underWay: string | undefined
  const alone = <T>(name: string, call: () => T): T => {
    invariant(underWay === undefined, `${name} was called while ${underWay} was under way`)
    underWay = name
    const ended = (): void => {
      underWay = undefined
    }
    let done: T | undefined
    try {
      done = call()
    } finally {
      if (!isPromise(done)) ended()
    }
    return isPromise(done) ? (Promise.resolve(done).finally(ended) as T) : done
  }
  const { batch, deleteDeadLetters, flush, renewLease } = writer
  return {
    get checkpoint() {
      return writer.checkpoint
    },
    ...(batch === undefined ? {} : { batch }),
    write: (rows) => alone('write', () => writer.write(rows)),
    writeDeadLetters: (letters) => alone('writeDeadLetters', () => writer.writeDeadLetters(letters)),
    ...(deleteDeadLetters === undefined
      ? {}
      : { deleteDeadLetters: (letters) => alone('deleteDeadLetters', () => deleteDeadLetters.call(writer, letters)) }),
    commit: (checkpoint) => alone('commit', () => writer.commit(checkpoint)),
    ...(flush === undefined ? {} : { flush: () => alone('flush', () => flush.call(writer)) }),
    ...(renewLease === undefined ? {} : { renewLease: () => renewLease.call(writer) }),
    close: () => (signal?.aborted === true ? writer.close() : alone('close', () => writer.close())),
  }
}

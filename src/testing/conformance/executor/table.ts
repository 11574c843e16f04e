// A sink in memory: what was committed of one pipeline.

import type { Batch } from '../../../connect/batch.ts'
import type { DeadLetter } from '../../../connect/origin.ts'
import type { Checkpoint, Sink, SinkWriter } from '../../../connect/sink.ts'

export class MemoryTable {
  readonly rows: unknown[] = []
  readonly letters: DeadLetter[] = []
  checkpoint: Checkpoint | undefined
  /** The commit that fails, counted from 1, and its error. */
  failure: { readonly commit: number; readonly error: Error } | undefined
  #commits = 0

  readonly sink: Sink<unknown> = {
    kind: 'memory',
    title: 'rows in memory',
    deadLetters: 'dead letters in memory',
    guarantee: 'exactly-once',
    open: async () => this.#open(),
  }

  #open(): SinkWriter<unknown> {
    const rows: unknown[] = []
    const letters: DeadLetter[] = []
    return {
      checkpoint: this.checkpoint,
      write: (batch: Batch) => {
        rows.push(...batch.values())
        return []
      },
      writeDeadLetters: (more) => void letters.push(...more),
      commit: (now) => {
        this.#commits += 1
        if (this.#commits === this.failure?.commit) throw this.failure.error
        const before = this.checkpoint
        const states = new Map([...(before?.states ?? []), ...now.states])
        for (const [part, { length }] of states) if (length === 0) states.delete(part)
        this.checkpoint = { ...now, states, positions: new Map([...(before?.positions ?? []), ...now.positions]) }
        this.rows.push(...rows.splice(0))
        this.letters.push(...letters.splice(0))
      },
      close: async () => {},
    }
  }
}

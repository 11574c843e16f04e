// Makes a sink of one without transactions: checkpoints and dead letters are stored in a SQLite file beside it.

import { resolve } from 'node:path'
import { checkKeys } from '../../base/check.ts'
import { isPath, optionInvalid } from '../kits/config.ts'
import { checkTableName } from '../kits/sql/name.ts'
import type { Sink, TwoPhaseSink } from '../sink.ts'

export interface CheckpointedOptions {
  /** The SQLite file for checkpoints, leases and dead letters; created if it is missing. */
  readonly store: string
  /** The table of that file for dead letters: `dead_letters` by default. */
  readonly deadLetters?: string
}

/**
 * A sink that keeps its checkpoints beside what it writes, in a SQLite file.
 *
 * - **Commits** in three steps: what was written is prepared, which makes it durable if the sink can do that; then
 *   checkpoint, dead letters and the result of `prepare` are committed in one transaction of the store; then it is made
 *   visible. After the second step the epoch is committed: whatever ends the process, the next run makes it visible,
 *   and undoes what was prepared and not committed.
 * - **Guarantees** what the two-phase sink does: exactly once only if it can undo.
 * - **Held** by one run at a time, by a lease in the store.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid path or name
 * @example
 * const sink = checkpointed(callbackSink('print', (rows: readonly string[]) => console.log(rows)), { store: 'state.db' })
 * sink.title // => 'function print'
 * sink.guarantee // => 'at-least-once'
 * sink.deadLetters // => 'table dead_letters in state.db'
 */
export function checkpointed<Row>(plain: TwoPhaseSink<Row>, options: CheckpointedOptions): Sink<Row> {
  checkKeys('checkpointed', options, ['store', 'deadLetters'])
  const { store, deadLetters = 'dead_letters' } = options
  if (!isPath(store) || store === ':memory:') throw optionInvalid('checkpointed', 'store', store, 'the path of a file')
  checkTableName(deadLetters)
  return {
    kind: plain.kind,
    title: plain.title,
    deadLetters: `table ${deadLetters} in ${store}`,
    guarantee: plain.guarantee,
    takesShards: true,
    locks: `file ${resolve(store)}`,
    async inspect(pipeline) {
      const { inspectSqlite } = await import('../sqlite/table/database.ts')
      return inspectSqlite({ path: store, table: 'sluice_checkpoints', deadLetters, pipeline })
    },
    async dryRun(opening) {
      const { openStoreDry } = await import('./dry-run.ts')
      return await openStoreDry(store, deadLetters, opening)
    },
    async open(opening) {
      // Loaded on demand: programs and threads without a database start sooner.
      const { CheckpointedWriter } = await import('./writer.ts')
      return await CheckpointedWriter.open(plain, { path: store, deadLetters, ...opening })
    },
  }
}

// The writer of a sink without transactions whose checkpoints are stored beside it.

import { orClose } from '../../base/closing.ts'
import { definedOf } from '../../base/options.ts'
import { isPromise } from '../../base/promise.ts'
import type { Batch } from '../batch.ts'
import { START_OVER } from '../kits/store/checkpoints.ts'
import { checkpointInvalid } from '../kits/store/stored-checkpoint.ts'
import type { SqlWriter } from '../kits/store/writer.ts'
import type { DeadLetter } from '../origin.ts'
import { type Shard, shardName, WHOLE } from '../shard.ts'
import type {
  Checkpoint,
  ListedSplit,
  SinkOptions,
  SinkWriter,
  StoredDeadLetter,
  TwoPhaseSink,
  TwoPhaseWriter,
} from '../sink.ts'
import type { Json } from '../source.ts'
import { openSqliteWriter } from '../sqlite/table/database.ts'

export interface CheckpointedWriterOptions extends SinkOptions {
  /** The SQLite file that is the store. */
  readonly path: string
  readonly deadLetters: string
  /** Longest wait for the write lock of the store, in clock milliseconds. */
  readonly lockWaitMs?: number
}

/**
 * Commits in three steps: `prepare`, a transaction of the store, `publish`. The second one commits the epoch.
 *
 * The store is not locked while the two-phase writer writes and prepares, unless dead letters wait in its transaction;
 * it is while that writer opens and publishes, as an earlier check could be outdated by then. After any failure, every
 * later call fails with the same error: the state of the two-phase writer is then unknown, and the next to open the
 * sink finds out.
 */
export class CheckpointedWriter<Row> implements SinkWriter<Row> {
  readonly #store: SqlWriter<never>
  readonly #plain: TwoPhaseWriter<Row>
  /** The permanent failure. */
  #failure: { readonly error: unknown } | undefined
  /** Whether it was closed: a second close does nothing. */
  #isClosed = false

  private constructor(store: SqlWriter<never>, plain: TwoPhaseWriter<Row>) {
    this.#store = store
    this.#plain = plain
  }

  /** Takes the lease, then lets the two-phase sink undo what was not committed and make visible what was. */
  static async open<Row>(
    plain: TwoPhaseSink<Row>,
    { path, deadLetters, lockWaitMs, ...options }: CheckpointedWriterOptions,
  ): Promise<CheckpointedWriter<Row>> {
    const { pipeline, shard = WHOLE, columns, types, leaseMs, owner, signal } = options
    const place = { path, table: 'sluice_checkpoints', deadLetters }
    const store = await openSqliteWriter<never>({ ...place, pipeline, shard, leaseMs, owner, signal, lockWaitMs })
    return await orClose(store, async () => {
      const epoch = store.checkpoint?.epoch ?? 0
      const { note } = store
      if (epoch > 0 && note === undefined) {
        throw checkpointInvalid(
          pipeline,
          `it is at epoch ${epoch}, and does not say what the sink has prepared`,
          START_OVER,
        )
      }
      const writer = await store.alone('take over', async () => {
        const open = async (of: Shard, epoch: number, note: Json | undefined): Promise<TwoPhaseWriter<Row>> => {
          const opened = await plain.open({
            pipeline: shardName(pipeline, of),
            note,
            epoch,
            ...definedOf({ columns, types, signal }),
          })
          await orClose(opened, async () => {
            if (note !== undefined) await opened.publish(note)
          })
          return opened
        }
        // For copies of an earlier, different number: nobody else publishes what they have committed.
        for (const over of store.notesOver) await (await open(over.shard, over.epoch, over.note)).close()
        return await open(shard, epoch, note)
      })
      return new CheckpointedWriter(store, writer)
    })
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#store.checkpoint
  }

  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]> {
    return this.#guarded(() => this.#plain.write(rows))
  }

  writeDeadLetters(letters: readonly DeadLetter[]): void | Promise<void> {
    return this.#guarded(() => this.#store.writeDeadLetters(letters))
  }

  share(listed: readonly ListedSplit[]): readonly ListedSplit[] | Promise<readonly ListedSplit[]> {
    return this.#guarded(() => this.#store.share(listed))
  }

  deleteDeadLetters(letters: readonly StoredDeadLetter[]): void | Promise<void> {
    return this.#guarded(() => this.#store.deleteDeadLetters(letters))
  }

  commit(checkpoint: Checkpoint): void | Promise<void> {
    return this.#guarded(() => this.#commit(checkpoint))
  }

  renewLease(): void | Promise<void> {
    if (this.#failure === undefined) return this.#store.renewLease()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#plain.close()
    } finally {
      await this.#store.close()
    }
  }

  async #commit(checkpoint: Checkpoint): Promise<void> {
    const { epoch } = checkpoint
    await this.#store.checkFence()
    const note = await this.#plain.prepare(epoch)
    await this.#store.commit(checkpoint, note)
    // If another run has taken over, it has made this visible. A run that was suspended here and wakes must not do so
    // again.
    await this.#store.alone('publish an epoch in', async () => await this.#plain.publish(note))
  }

  #guarded<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      const done = work()
      return isPromise(done) ? done.catch((error: unknown) => this.#fail(error)) : done
    } catch (error) {
      return this.#fail(error)
    }
  }

  #fail(error: unknown): never {
    this.#failure = { error: this.#store.fail('write to', error) }
    throw this.#failure.error
  }
}

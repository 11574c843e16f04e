// What a pipeline stores in a database next to its rows: lease, checkpoint and dead letters.

import { SluiceError } from '../../../base/errors.ts'
import { type Claim, fenced, type HeldLease, holderOf, pipelineHeld } from '../../lease.ts'
import { type Shard, shardText, WHOLE } from '../../shard.ts'
import type { Checkpoint, CheckpointSummary, ListedSplit } from '../../sink.ts'
import type { Json } from '../../source.ts'
import { NO_TOTALS } from '../../totals.ts'
import { CheckpointTable, START_OVER } from './checkpoints.ts'
import { DeadLetterTable } from './dead-letters.ts'
import type { SqlDialect } from './dialect.ts'
import { ANYBODY, countOf, type FoundLease, isHeldFrom, LeaseTable, type Rivals } from './leases.ts'
import { createTables, KEPT } from './schema.ts'
import { SplitTable } from './splits.ts'
import { checkpointInvalid } from './stored-checkpoint.ts'
import { tablesOf } from './tables.ts'
import { run, type Work } from './work.ts'

export interface StoreOptions {
  readonly pipeline: string
  /** All of it by default. */
  readonly shard?: Shard | undefined
  /** The table of dead letters. */
  readonly deadLetters: string
}

/** The store of one pipeline in one database. Its work is done in transactions that the caller begins and commits. */
export class SqlStore {
  readonly leases: LeaseTable
  readonly checkpoints: CheckpointTable
  readonly letters: DeadLetterTable
  readonly #dialect: SqlDialect
  readonly #options: StoreOptions
  readonly #shard: string
  readonly #splits: SplitTable

  constructor(dialect: SqlDialect, options: StoreOptions) {
    const { pipeline, shard = WHOLE, deadLetters } = options
    this.#dialect = dialect
    this.#options = options
    this.leases = new LeaseTable(dialect, pipeline, shard)
    this.checkpoints = new CheckpointTable(dialect, pipeline, shard)
    this.#shard = shardText(shard)
    this.#splits = new SplitTable(dialect, pipeline, shard)
    this.letters = new DeadLetterTable(dialect, deadLetters, pipeline)
  }

  /** Creates missing tables, and migrates those of an earlier version. */
  create(): Work<void> {
    return createTables(this.#dialect, this.#options.pipeline)
  }

  /** Takes the lease. @throws {SluiceError} PIPELINE_HELD if another instance holds it */
  *take(claim: Omit<Claim, 'nowMs'>): Work<void> {
    yield* this.#check(yield* this.leases.take(claim))
  }

  /** Works under the lease of a run. @throws {SluiceError} PIPELINE_HELD if that run does not hold it */
  *borrow(owner: string): Work<void> {
    if (!(yield* this.leases.borrow(owner))) throw yield* this.#fenced('write to')
  }

  /** Takes nothing. @throws {SluiceError} PIPELINE_HELD if another instance holds the lease */
  *checkHolder(claim: Omit<Claim, 'nowMs'>): Work<void> {
    yield* this.#check(yield* this.leases.against(claim))
  }

  /**
   * Compares what this copy has listed with what others have, and publishes it, unless this is a dry run.
   * @throws {SluiceError} SOURCE_DIFFERS
   */
  *share(listed: readonly ListedSplit[], isDryRun: boolean): Work<readonly ListedSplit[]> {
    const atWork = new Set((yield* this.leases.held()).map(({ shard }) => shard))
    return yield* this.#splits.share(listed, { known: this.checkpoints.known, atWork, isDryRun })
  }

  /** @throws {SluiceError} PIPELINE_HELD if another instance has taken over */
  *save(checkpoint: Checkpoint, note?: Json): Work<void> {
    const act = `commit epoch ${checkpoint.epoch} of`
    if (!(yield* this.leases.renew())) throw yield* this.#fenced(act)
    if (!(yield* this.checkpoints.save(checkpoint, note))) throw yield* this.#overtaken(act)
  }

  /** Renews the lease. @throws {SluiceError} PIPELINE_HELD if another instance has taken over */
  *renew(): Work<void> {
    if (!(yield* this.leases.renew())) throw yield* this.#fenced('continue with')
  }

  /** @throws {SluiceError} PIPELINE_HELD if another instance has taken over */
  *checkFence(): Work<void> {
    if (!(yield* this.leases.isOurs())) throw yield* this.#fenced('continue with')
    if (!(yield* this.checkpoints.isLast())) throw yield* this.#overtaken('continue with')
  }

  *summary(): Work<CheckpointSummary | undefined> {
    const came = yield* this.leases.found()
    const found = yield* this.checkpoints.ofAll(came.map(({ shard }) => shard))
    if (found === undefined) return undefined
    const { shards, ...all } = found
    const holderAt = (lease: FoundLease): string | undefined =>
      isHeldFrom(ANYBODY, lease) ? holderOf(lease) : undefined
    const holders = new Map(came.map((lease) => [lease.shard, holderAt(lease)]))
    const holder = [...holders.values()].find((by) => by !== undefined)
    const count = Number(countOf(came[0]?.shard ?? shardText(WHOLE)))
    if (count === 1) return { ...all, holder }
    const names = Array.from({ length: count }, (_, index) => shardText({ index, count }))
    return {
      ...all,
      holder,
      shards: names.map((shard) => {
        const { epoch = 0, totals = NO_TOTALS, committed } = shards.get(shard) ?? {}
        return { shard, epoch, totals, committed, holder: holders.get(shard), isMissing: !holders.has(shard) }
      }),
    }
  }

  /** Deletes positions, totals and states. @throws {SluiceError} PIPELINE_HELD while a run holds the pipeline */
  *reset({ deadLetters }: { readonly deadLetters: boolean }): Work<void> {
    const { pipeline, deadLetters: letters } = this.#options
    yield* this.#dialect.alone(pipeline)
    const by = (yield* this.held(this.#dialect.forUpdate))?.holder
    if (by !== undefined) {
      throw new SluiceError('PIPELINE_HELD', `Cannot reset ${pipeline}: it is held by ${by}`, { pipeline, by })
    }
    for (const table of yield* tablesOf(this.#dialect, deadLetters ? [...KEPT, letters] : KEPT)) {
      const sql = `delete from ${this.#dialect.table(table)} where pipeline = ${this.#dialect.parameter(1)}`
      yield* run(sql, [pipeline])
    }
  }

  /** The lease, if it excludes others. */
  *held(lock = ''): Work<HeldLease | undefined> {
    const [lease] = yield* this.leases.held(lock)
    if (lease === undefined) return undefined
    const { token, nowMs, renewedMs } = lease
    return { token, holder: holderOf(lease), silentMs: Math.max(0, nowMs - renewedMs) }
  }

  *#check({ holder, over }: Rivals): Work<void> {
    if (holder !== undefined) throw this.#heldBy(holder)
    yield* this.#checkCount(over)
  }

  #heldBy(holder: FoundLease): SluiceError<'PIPELINE_HELD'> {
    const { pipeline } = this.#options
    if (this.#shard === holder.shard) return pipelineHeld(pipeline, holder, holder.shard)
    const by = holderOf(holder)
    const message = `Cannot start ${pipeline} as shard ${this.#shard}: its shard ${holder.shard} is held by ${by}; another number of copies can start once all have ended`
    return new SluiceError('PIPELINE_HELD', message, { pipeline, by })
  }

  /** A run with another number of copies must know what each copy has read. */
  *#checkCount(over: readonly string[]): Work<void> {
    const count = Number(over[0] === undefined ? 0 : countOf(over[0]))
    if (over.length === count || !(yield* this.checkpoints.hasPositions())) return
    const { pipeline } = this.#options
    const found = `of its ${count} copies, ${over.length} have used this store (${over.slice(0, 5).join(', ')}), and this is shard ${this.#shard}`
    const way = `if all share this store, let each of the ${count} use it once; if each has a store of its own, continue with ${count} copies`
    throw checkpointInvalid(pipeline, found, `${way}; ${START_OVER}`)
  }

  *#fenced(act: string): Work<SluiceError<'PIPELINE_HELD'>> {
    return fenced(this.#options.pipeline, act, yield* this.leases.current())
  }

  *#overtaken(act: string): Work<SluiceError<'PIPELINE_HELD'>> {
    const { pipeline } = this.#options
    const by = yield* this.checkpoints.lastCommit()
    const message = `Cannot ${act} ${pipeline}: another instance has committed ${by}`
    return new SluiceError('PIPELINE_HELD', message, { pipeline, by })
  }
}

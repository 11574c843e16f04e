// What a pipeline keeps in a database beside its rows: lease, checkpoint and dead letters.

import { SluiceError } from '../../../base/errors.ts'
import { type Claim, fenced, type HeldLease, holderOf, LEASE_MS, pipelineHeld } from '../../lease.ts'
import type { DeadLetter } from '../../origin.ts'
import type { Checkpoint, CheckpointSummary } from '../../sink.ts'
import { CheckpointTable } from './checkpoints.ts'
import type { SqlDialect } from './dialect.ts'
import { LeaseTable } from './leases.ts'
import { LetterTable } from './letters.ts'
import { tablesOf } from './tables.ts'
import { run, type Work } from './work.ts'

/** What is kept of a pipeline beside its lease and its letters; the last one for sinks without transactions. */
const KEPT = ['sluice_checkpoints', 'sluice_positions', 'sluice_states', 'sluice_notes']
const OWN = ['sluice_leases', ...KEPT.slice(0, -1)]

export interface StoreOptions {
  readonly pipeline: string
  /** The table of dead letters. */
  readonly deadLetters: string
}

/** The store of one pipeline in one database. Its work belongs in transactions that its caller begins and commits. */
export class SqlStore {
  readonly pipeline: string
  readonly leases: LeaseTable
  readonly checkpoints: CheckpointTable
  readonly letters: LetterTable
  readonly #dialect: SqlDialect
  readonly #options: StoreOptions

  constructor(dialect: SqlDialect, options: StoreOptions) {
    const { pipeline, deadLetters } = options
    this.#dialect = dialect
    this.#options = options
    this.pipeline = pipeline
    this.leases = new LeaseTable(dialect, pipeline)
    this.checkpoints = new CheckpointTable(dialect, pipeline)
    this.letters = new LetterTable(dialect, deadLetters, pipeline)
  }

  /** Makes the tables where one is missing: rights to make any are needed only then. */
  *create(): Work<void> {
    if ((yield* tablesOf(this.#dialect, OWN)).length === OWN.length) return
    yield* this.#dialect.lockTables()
    for (const sql of [this.leases.createSql, ...this.checkpoints.createSql]) yield* run(sql)
  }

  /** Takes the lease. @throws {SluiceError} PIPELINE_HELD if another instance holds it */
  *take(claim: Omit<Claim, 'nowMs'>): Work<void> {
    const holder = yield* this.leases.take(claim)
    if (holder !== undefined) throw pipelineHeld(this.#options.pipeline, holder)
  }

  /** Takes nothing. @throws {SluiceError} PIPELINE_HELD if another instance holds the lease */
  *checkHolder(claim: Omit<Claim, 'nowMs'>): Work<void> {
    const holder = yield* this.leases.holder(claim)
    if (holder !== undefined) throw pipelineHeld(this.#options.pipeline, holder)
  }

  bury(letters: readonly DeadLetter[]): Work<void> {
    return this.letters.bury(letters, this.checkpoints.epoch + 1)
  }

  /** @throws {SluiceError} PIPELINE_HELD if another instance has taken over */
  *save(checkpoint: Checkpoint): Work<void> {
    const act = `commit epoch ${checkpoint.epoch} of`
    if (!(yield* this.leases.renew())) throw yield* this.#fenced(act)
    if (!(yield* this.checkpoints.save(checkpoint))) throw yield* this.#overtaken(act)
  }

  /** A sign of life. @throws {SluiceError} PIPELINE_HELD if another instance has taken over */
  *renew(): Work<void> {
    if (!(yield* this.leases.renew())) throw yield* this.#fenced('go on with')
  }

  /** @throws {SluiceError} PIPELINE_HELD if another instance has taken over */
  *checkFence(): Work<void> {
    if (!(yield* this.leases.isOurs())) throw yield* this.#fenced('go on with')
    if (!(yield* this.checkpoints.isLast())) throw yield* this.#overtaken('go on with')
  }

  *summary(): Work<CheckpointSummary | undefined> {
    const found = yield* this.checkpoints.restore()
    if (found === undefined) return undefined
    const { epoch, totals, positions } = found
    const states = new Map([...found.states].map(([part, bytes]) => [part, bytes.length]))
    const committed = yield* this.checkpoints.lastCommit()
    return { epoch, totals, positions, states, committed, holder: (yield* this.held())?.holder }
  }

  /** Forgets positions, totals and states. @throws {SluiceError} PIPELINE_HELD while a run holds the pipeline */
  *reset({ deadLetters }: { readonly deadLetters: boolean }): Work<void> {
    const { pipeline, deadLetters: letters } = this.#options
    const by = (yield* this.held(this.#dialect.forUpdate))?.holder
    if (by !== undefined) {
      throw new SluiceError('PIPELINE_HELD', `Cannot reset ${pipeline}: it is held by ${by}`, { pipeline, by })
    }
    for (const table of yield* tablesOf(this.#dialect, deadLetters ? [...KEPT, letters] : KEPT)) {
      const sql = `delete from ${this.#dialect.table(table)} where pipeline = ${this.#dialect.parameter(1)}`
      yield* run(sql, [pipeline])
    }
  }

  /** The lease, if it keeps others out. */
  *held(lock = ''): Work<HeldLease | undefined> {
    const lease = yield* this.leases.holder({ owner: '', leaseMs: LEASE_MS }, lock)
    if (lease === undefined) return undefined
    const { token, nowMs, renewedMs } = lease
    return { token, holder: holderOf(lease), silentMs: Math.max(0, nowMs - renewedMs) }
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

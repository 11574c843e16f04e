// The writer of a DuckDB sink: rows, dead letters and checkpoint in one transaction an epoch.

import { systemClock } from '../../../base/clock.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Batch } from '../../batch.ts'
import type { Columns } from '../../column.ts'
import { duckdbTrouble, Session } from '../../duckdb/session.ts'
import { fenced, LEASE_MS, newOwner, pipelineHeld } from '../../lease.ts'
import type { DeadLetter } from '../../origin.ts'
import type { BatchSize, Checkpoint, KeptLetter, SinkWriter } from '../../sink.ts'
import { checkNoSchema, type SchemaMode } from '../../sql/evolve.ts'
import { inferColumns } from '../../sql/infer.ts'
import { checkColumnName } from '../../sql/name.ts'
import { refuseAll } from '../../sql/row.ts'
import { findTable, otherSchemas } from './catalogue.ts'
import { OwnTables } from './own-tables.ts'
import { RowWriter, STEP } from './rows.ts'
import type { Shape } from './table.ts'

export interface WriterOptions {
  readonly path: string
  readonly table: string
  readonly key: readonly string[] | undefined
  readonly columns: Columns | undefined
  readonly deadLetters: string
  readonly mode: SchemaMode | undefined
  readonly onNote: ((note: string) => void) | undefined
  readonly memory: string | undefined
  readonly pipeline: string
  readonly leaseMs: number | undefined
  readonly owner: string | undefined
}

/** Each statement has its price. */
const BATCH: BatchSize = { rows: 2048, bytes: 8 * 1024 * 1024 }

/** Once something has failed, every later call fails with the same error: a commit must not pass over that. */
export class DuckdbWriter<Row> implements SinkWriter<Row> {
  readonly batch: BatchSize = BATCH
  readonly #options: WriterOptions
  readonly #session: Session
  readonly #own: OwnTables
  /** Undefined until the columns are known and the table is there. */
  #rows: RowWriter | undefined
  #isInTransaction = false
  #failure: { readonly error: unknown } | undefined
  /** Calls follow each other: a sign of life must not come into a transaction that is about to end. */
  #last: Promise<unknown> = Promise.resolve()
  #restored: Checkpoint | undefined

  private constructor(options: WriterOptions, session: Session) {
    this.#options = options
    this.#session = session
    this.#own = new OwnTables(session, options.pipeline, options.deadLetters)
  }

  static async open<Row>(options: WriterOptions): Promise<DuckdbWriter<Row>> {
    const writer = new DuckdbWriter<Row>(options, await Session.open(options.path, { memory: options.memory }))
    try {
      await writer.#open()
      return writer
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#restored
  }

  write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    return this.#inTransaction('write to', async () => {
      this.#rows ??= await this.#makeRows(rows.values())
      return this.#rows === undefined ? refuseAll(rows, STEP) : await this.#rows.write(rows)
    })
  }

  bury(letters: readonly DeadLetter[]): Promise<void> {
    return this.#inTransaction('write dead letters to', async () => {
      await this.#rows?.settled()
      await this.#own.bury(letters, systemClock.wallMs())
    })
  }

  exhume(letters: readonly KeptLetter[]): Promise<void> {
    return this.#inTransaction('take dead letters out of', async () => {
      await this.#rows?.settled()
      await this.#own.exhume(letters)
    })
  }

  commit(checkpoint: Checkpoint): Promise<void> {
    return this.#inTransaction('commit to', async () => {
      await this.#rows?.flush()
      const { pipeline } = this.#options
      const nowMs = systemClock.wallMs()
      const { epoch } = checkpoint
      if (epoch !== this.#own.epoch + 1) {
        const by = `an instance that committed epoch ${this.#own.epoch}`
        throw new SluiceError('PIPELINE_HELD', `Cannot commit epoch ${epoch} of ${pipeline}: it is held by ${by}`, {
          pipeline,
          by,
        })
      }
      await this.#checkFence(`commit epoch ${epoch} of`)
      await this.#own.renew(nowMs)
      await this.#own.save(checkpoint, nowMs)
      await this.#session.run('commit')
      this.#isInTransaction = false
      this.#own.epoch = epoch
    })
  }

  renew(): Promise<void> {
    return this.#inTurn(async () => {
      // A transaction that is open is seen by nobody: its commit renews the lease.
      if (this.#isInTransaction || this.#failure !== undefined) return
      try {
        await this.#checkFence('go on with')
        await this.#own.renew(systemClock.wallMs())
      } catch (error) {
        throw this.#fail('write to', error)
      }
    })
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      try {
        await this.#rows?.abandon()
        if (this.#isInTransaction) await this.#session.run('rollback')
        await this.#own.release()
      } catch {
        // What was not committed is gone with the connection; the lease ends with its time.
      }
      this.#session.close()
    })
  }

  async #open(): Promise<void> {
    const { pipeline, leaseMs = LEASE_MS, owner = newOwner(), columns } = this.#options
    await this.#inTransaction('open', async () => {
      await this.#own.create()
      const holder = await this.#own.take({ owner, leaseMs, nowMs: systemClock.wallMs() })
      if (holder !== undefined) throw pipelineHeld(pipeline, holder)
      this.#restored = await this.#own.restore()
      await this.#checkNames()
      if (columns !== undefined) {
        const named = Object.entries(columns).map(([name, type]) => ({ name, type }))
        this.#rows = await this.#rowsOf(named, false)
      }
      await this.#session.run('commit')
      this.#isInTransaction = false
    })
  }

  async #makeRows(rows: readonly unknown[]): Promise<RowWriter | undefined> {
    const inferred = inferColumns(rows)
    if (inferred.size === 0) return undefined
    const columns = [...inferred].map(([name, type]) => ({ name, type: type === 'mixed' ? 'text' : type }) as const)
    return await this.#rowsOf(columns, true)
  }

  async #rowsOf(columns: Shape['columns'], isInferred: boolean): Promise<RowWriter> {
    const { table, key, mode, onNote } = this.#options
    for (const { name } of columns) checkColumnName(name)
    const stray = key?.find((name) => !columns.some((column) => column.name === name))
    if (stray !== undefined) {
      const allowed = columns.map(({ name }) => name).join(', ')
      const message = `Cannot use ${JSON.stringify(stray)} as a key of table ${table}: its columns are ${allowed}`
      throw new SluiceError('CONFIG_INVALID', message, { key: 'key', value: stray, allowed })
    }
    return await RowWriter.open({ session: this.#session, mode, onNote }, { table, columns, key, isInferred })
  }

  /** Refuses a name that is meant to be of a table in another schema. */
  async #checkNames(): Promise<void> {
    const dotted = [this.#options.table, this.#options.deadLetters].filter((name) => name.includes('.'))
    if (dotted.length === 0) return
    const schemas = await otherSchemas(this.#session)
    for (const name of dotted) {
      if ((await findTable(this.#session, name)) !== undefined) continue
      checkNoSchema(name, ['main', ...schemas], (_, rest) => `this sink writes to schema main, as table: '${rest}'`)
    }
  }

  async #checkFence(act: string): Promise<void> {
    if (!(await this.#own.isOurs())) throw fenced(this.#options.pipeline, act, await this.#own.lease())
  }

  /** Does `work` in the open transaction, or in a new one. */
  #inTransaction<T>(act: string, work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      try {
        if (!this.#isInTransaction) {
          await this.#session.run('begin')
          this.#isInTransaction = true
          this.#rows?.begin()
        }
        return await work()
      } catch (error) {
        throw this.#fail(act, error)
      }
    })
  }

  #fail(act: string, error: unknown): unknown {
    const { path, table } = this.#options
    this.#failure ??= { error: duckdbTrouble(error, path, act, table) }
    return this.#failure.error
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => {}) // Told to who waits for it.
    return turn
  }
}

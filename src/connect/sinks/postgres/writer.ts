// The writer of a PostgreSQL sink: rows, dead letters and checkpoint in one transaction an epoch.

import { systemClock } from '../../../base/clock.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Batch } from '../../batch.ts'
import type { Columns } from '../../column.ts'
import { fenced, LEASE_MS, newOwner, pipelineHeld } from '../../lease.ts'
import type { DeadLetter } from '../../origin.ts'
import type { ClientOptions, PostgresClient } from '../../postgres/client.ts'
import type { PostgresConnection } from '../../postgres/connection.ts'
import type { BatchSize, Checkpoint, KeptLetter, SinkWriter } from '../../sink.ts'
import { checkNoSchema, type SchemaMode } from '../../sql/evolve.ts'
import { refuseAll } from '../../sql/row.ts'
import { currentSchema, schemasOf, tablesOf } from './catalogue.ts'
import { CheckpointTable } from './checkpoints.ts'
import { LeaseTable } from './leases.ts'
import { LetterTable } from './letters.ts'
import { RowWriter, STEP } from './rows.ts'
import { openSide, Sessions } from './sessions.ts'
import { type Shape, shapeOf, shapeOfRows } from './shape.ts'
import { lockSchemas, type Place, unfit } from './table.ts'
import { sinkTrouble } from './trouble.ts'

export interface WriterOptions {
  readonly connection: string | PostgresConnection
  /** The server and database, for errors: never with a password. */
  readonly sink: string
  readonly schema: string | undefined
  readonly table: string
  readonly key: readonly string[] | undefined
  readonly columns: Columns | undefined
  readonly deadLetters: string
  readonly create: boolean
  readonly mode: SchemaMode | undefined
  readonly pipeline: string
  readonly timeoutMs: number
  readonly leaseMs?: number | undefined
  readonly owner?: string | undefined
  readonly signal: AbortSignal | undefined
  readonly onNote: ((note: string) => void) | undefined
}

/** A COPY has its price, however few rows it holds. */
const BATCH: BatchSize = { rows: 2000, bytes: 4 * 1024 * 1024 }

/** What was made of the server before the first row. */
interface Opened {
  readonly sessions: Sessions
  readonly main: PostgresClient
  readonly place: Place
  readonly leases: LeaseTable
  readonly checkpoints: CheckpointTable
  readonly letters: LetterTable
}

/**
 * One transaction holds all that was written since the last commit. It begins with the first write.
 *
 * Once something has failed, every later call fails with the same error: whether a commit went through is for who opens
 * the sink anew to read.
 */
export class PostgresWriter<Row> implements SinkWriter<Row> {
  readonly #options: WriterOptions
  readonly #opened: Opened
  /** What the last commit before this run left. */
  readonly checkpoint: Checkpoint | undefined
  readonly batch: BatchSize = BATCH
  /** For signs of life; another one is opened when it is lost. */
  #side: PostgresClient
  /** Undefined until the columns are known. */
  #rows: RowWriter | undefined
  #isInTransaction = false
  /** What has been made ready for the transaction at hand. */
  readonly #entered = new Set<RowWriter | LetterTable>()
  /** What failed for good. */
  #failure: { readonly error: unknown } | undefined
  #isClosed = false

  private constructor(
    options: WriterOptions,
    opened: Opened,
    checkpoint: Checkpoint | undefined,
    rows: RowWriter | undefined,
  ) {
    this.#options = options
    this.#opened = opened
    this.#side = opened.sessions.side
    this.checkpoint = checkpoint
    this.#rows = rows
  }

  /** Connects, takes the lease, goes to where the last commit left the pipeline, and makes the tables that are known. */
  static async open<Row>(options: WriterOptions): Promise<PostgresWriter<Row>> {
    const { columns, table, key, pipeline, leaseMs = LEASE_MS } = options
    const shape = columns === undefined ? undefined : shapeOf(table, columns, key)
    const sessions = await guarded(options, 'open', () => Sessions.open(clientOptions(options)))
    const { main, side } = sessions
    let leases: LeaseTable | undefined
    try {
      return await guarded(options, 'open', async () => {
        const schema = options.schema ?? (await currentSchema(main))
        if (schema === undefined) throw noSchema(options)
        const { sink, create, mode, onNote } = options
        const place: Place = { sink, schema, create, mode, onNote }
        await checkNames(main, options, schema)
        leases = new LeaseTable(schema, pipeline, sessions.isPooled)
        const checkpoints = new CheckpointTable(schema, pipeline)
        await makeOwnTables(main, place, leases, checkpoints)
        const holder = await leases.take(main, { owner: options.owner ?? newOwner(), leaseMs })
        if (holder !== undefined) throw pipelineHeld(pipeline, holder)
        const checkpoint = await checkpoints.restore(main)
        const letters = new LetterTable({ client: main, place }, options.deadLetters)
        const opened = { sessions, main, place, leases, checkpoints, letters }
        const rows = shape === undefined ? undefined : rowsOf(opened, shape)
        await main.query('begin')
        await letters.ensure()
        await rows?.ensure()
        await main.query('commit')
        return new PostgresWriter<Row>(options, opened, checkpoint, rows)
      })
    } catch (error) {
      await release(leases, side, options.signal)
      await Promise.all([main.close(), side.close()])
      throw error
    }
  }

  write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    return this.#inTransaction('write to', async () => {
      const table = this.#rows ?? this.#rowsOf(rows.values())
      if (table === undefined) return refuseAll(rows, STEP)
      await this.#enter(table)
      return await table.write(rows)
    })
  }

  bury(letters: readonly DeadLetter[]): Promise<void> {
    return this.#inTransaction('write dead letters to', async () => {
      const { letters: table, checkpoints } = this.#opened
      await this.#enter(table)
      const epoch = checkpoints.epoch + 1
      await table.bury(letters, { pipeline: this.#options.pipeline, epoch, atMs: systemClock.wallMs() })
    })
  }

  exhume(letters: readonly KeptLetter[]): Promise<void> {
    return this.#inTransaction('take dead letters out of', async () => {
      const { letters: table } = this.#opened
      await this.#enter(table)
      await table.exhume(letters, this.#options.pipeline)
    })
  }

  commit(checkpoint: Checkpoint): Promise<void> {
    return this.#inTransaction('commit to', async () => {
      const { main, leases, checkpoints } = this.#opened
      const { pipeline } = this.#options
      const act = `commit epoch ${checkpoint.epoch} of`
      if (!(await leases.renew(main))) throw fenced(pipeline, act, await leases.current(main))
      if (!(await checkpoints.save(main, checkpoint))) {
        const by = await checkpoints.lastCommit(main)
        const message = `Cannot ${act} ${pipeline}: another instance has committed ${by}`
        throw new SluiceError('PIPELINE_HELD', message, { pipeline, by })
      }
      // A transaction that failed before answers a commit, too, without an error.
      const { command } = await main.query('commit')
      if (command !== 'COMMIT') throw this.#unfit(`the server answered ${command} to a commit`)
      this.#isInTransaction = false
      checkpoints.saved(checkpoint.epoch)
    })
  }

  async renew(): Promise<void> {
    if (this.#failure !== undefined || this.#isClosed) return
    const { main, leases } = this.#opened
    // Who waits for nothing on it would hear of its loss only with the next row: any statement says why it is lost.
    if (main.isLost) return await this.#inTransaction('reach', async () => void (await main.query('select 1')))
    try {
      if (this.#side.isLost) await this.#reopenSide()
      if (await leases.renew(this.#side)) return
    } catch {
      // The server is away: whoever needs it for rows will say so, and a commit renews the lease, too.
      return
    }
    const current = await guarded(this.#options, 'reach', () => leases.current(this.#side))
    this.#failure ??= { error: fenced(this.#options.pipeline, 'go on with', current) }
    throw this.#failure.error
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { main, leases } = this.#opened
    // First of all: what it has not committed must not hold locks when another one begins.
    await main.close()
    await release(leases, this.#side, this.#options.signal)
    await this.#side.close()
  }

  #rowsOf(rows: readonly unknown[]): RowWriter | undefined {
    const shape = shapeOfRows(this.#options.table, rows, this.#options.key)
    if (shape !== undefined) this.#rows = rowsOf(this.#opened, shape)
    return this.#rows
  }

  async #enter(table: RowWriter | LetterTable): Promise<void> {
    if (this.#entered.has(table)) return
    await table.enter()
    this.#entered.add(table)
  }

  /** Does `work` in the open transaction, or in a new one. */
  async #inTransaction<T>(act: string, work: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      return await guarded(this.#options, act, async () => {
        if (!this.#isInTransaction) await this.#begin()
        return await work()
      })
    } catch (error) {
      this.#failure ??= { error }
      // Nothing of it is to be committed, and nobody is to wait for its locks.
      this.#opened.main.destroy(error)
      throw this.#failure.error
    }
  }

  async #begin(): Promise<void> {
    await this.#opened.sessions.begin()
    this.#isInTransaction = true
    this.#entered.clear()
  }

  async #reopenSide(): Promise<void> {
    const lost = this.#side
    const side = await openSide(clientOptions(this.#options))
    if (this.#isClosed) return await side.close()
    this.#side = side
    await lost.close()
    // Asks the lost one until then: its failure counts as silence.
    this.#opened.sessions.watchBy(side)
  }

  #unfit(found: string): SluiceError<'SINK_MISMATCH'> {
    return unfit({ sink: this.#options.sink }, this.#options.table, found)
  }
}

/** How long a run that was aborted waits to let go of its lease. */
const ABORTED_MS = 300

function rowsOf({ main, place }: Opened, shape: Shape): RowWriter {
  return new RowWriter({ client: main, place, shape, stage: 'sluice_rows' })
}

function clientOptions({ connection, pipeline, timeoutMs, signal }: WriterOptions): ClientOptions {
  return { connection, name: `sluice/${pipeline}`, timeoutMs, signal }
}

/** Makes the tables of leases and checkpoints where one is missing: a role that may not is needed only for that. */
async function makeOwnTables(
  main: PostgresClient,
  { sink, schema, create }: Place,
  leases: LeaseTable,
  checkpoints: CheckpointTable,
): Promise<void> {
  const { rows } = await main.query(
    `select c.relname as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname in ('sluice_leases', 'sluice_checkpoints', 'sluice_positions', 'sluice_states')`,
    [schema],
  )
  if (rows.length === 4) return
  if (!create) throw unfit({ sink }, 'sluice_leases', `it, or another table of checkpoints, is not in schema ${schema}`)
  await main.query('begin')
  await lockSchemas(main)
  await main.query(`${leases.createSql}; ${checkpoints.createSql}`)
  await main.query('commit')
}

async function release(
  leases: LeaseTable | undefined,
  side: PostgresClient,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (side.isLost || leases === undefined) return
  // Who has aborted the run does not wait for a server that is silent.
  const limit = signal?.aborted === true ? setTimeout(() => side.destroy(signal.reason), ABORTED_MS) : undefined
  try {
    await leases.release(side)
  } catch {
    // A lease that cannot be let go of ends with the process, or with its time.
  } finally {
    clearTimeout(limit)
  }
}

/** Refuses a name that is meant to be of a table in another schema. */
async function checkNames(main: PostgresClient, { table, deadLetters }: WriterOptions, schema: string): Promise<void> {
  const dotted = [table, deadLetters].filter((name) => name.includes('.'))
  if (dotted.length === 0) return
  const [schemas, tables] = [await schemasOf(main), await tablesOf(main, schema, dotted)]
  for (const name of dotted) {
    if (!tables.has(name)) checkNoSchema(name, schemas, (of, rest) => `use schema: '${of}', table: '${rest}'`)
  }
}

/** Turns what a server says into errors that a caller can act on. */
async function guarded<T>(options: WriterOptions, act: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw sinkTrouble(error, options, act)
  }
}

function noSchema({ sink }: WriterOptions): SluiceError<'CONFIG_INVALID'> {
  const allowed = 'the name of a schema, as the search path of the user names none'
  const message = `Cannot write to ${sink}: schema takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key: 'schema', value: undefined, allowed })
}

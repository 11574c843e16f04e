// A PostgreSQL database that a pipeline writes to, over two connections.

import { SluiceError } from '../../../base/errors.ts'
import type { Shape, ShapeRules } from '../../kits/sql/shape.ts'
import type { TableOptions } from '../../kits/sql/table.ts'
import type { RowTable, SqlDatabase } from '../../kits/store/database.ts'
import type { SqlDialect } from '../../kits/store/dialect.ts'
import type { Work } from '../../kits/store/work.ts'
import { SqlWriter, type SqlWriterOptions } from '../../kits/store/writer.ts'
import type { BatchSize, SinkWriter } from '../../sink.ts'
import type { ClientOptions, PostgresClient } from '../client.ts'
import type { PostgresConnection } from '../connection.ts'
import { schemasOf } from './catalogue.ts'
import { sinkError } from './errors.ts'
import { RULES } from './names.ts'
import { RowWriter, STEP } from './rows.ts'
import { currentSchema, doWork, postgresDialect } from './session.ts'
import { openSide, Sessions } from './sessions.ts'
import { type Place, unfit } from './table.ts'
import { postgresTables } from './tables.ts'

export interface DatabaseOptions extends Omit<Place, 'schema'> {
  readonly connection: string | PostgresConnection
  readonly schema: string | undefined
  /** The table named in errors. */
  readonly table: string
  readonly pipeline: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** A COPY has a fixed cost, however few rows it contains. */
const BATCH: BatchSize = { rows: 2000, bytes: 4 * 1024 * 1024 }

/** How long an aborted run waits to release its lease. */
const ABORTED_MS = 300

export class PostgresDatabase implements SqlDatabase {
  readonly rules: ShapeRules = RULES
  readonly step: string = STEP
  readonly batch: BatchSize = BATCH
  readonly schemas: NonNullable<SqlDatabase['schemas']> = {
    names: schemasOf,
    use: (schema, table) => `use schema: '${schema}', table: '${table}'`,
  }
  readonly dialect: SqlDialect
  readonly #options: DatabaseOptions
  readonly #place: Place
  readonly #sessions: Sessions
  readonly #main: PostgresClient
  /** For renewing the lease; another one is opened when it is lost. */
  #side: PostgresClient
  #isClosed = false
  /** How many tables have rows: each passes them through a temporary table of its own. */
  #tables = 0

  private constructor(options: DatabaseOptions, sessions: Sessions, place: Place) {
    this.#options = options
    this.#place = place
    this.#sessions = sessions
    this.#main = sessions.main
    this.#side = sessions.side
    this.dialect = postgresDialect(place, sessions.isPooled)
  }

  static async open(options: DatabaseOptions): Promise<PostgresDatabase> {
    try {
      const sessions = await Sessions.open(clientOptions(options))
      try {
        const schema = options.schema ?? (await doWork(sessions.main, currentSchema()))
        if (schema === undefined) throw noSchema(options)
        return new PostgresDatabase(options, sessions, { ...options, schema })
      } catch (error) {
        await Promise.all([sessions.main.close(), sessions.side.close()])
        throw error
      }
    } catch (error) {
      throw sinkError(error, options, 'open')
    }
  }

  get isLost(): boolean {
    return this.#main.isLost
  }

  do<T>(work: Work<T>): Promise<T> {
    return doWork(this.#main, work)
  }

  begin(): Promise<void> {
    return this.#sessions.begin()
  }

  async commit(): Promise<void> {
    // A failed transaction answers a commit without an error.
    const { command } = await this.#main.query('commit')
    const { sink, table } = this.#options
    if (command !== 'COMMIT') throw unfit(sink, table, `the server answered ${command} to a commit`)
  }

  rows(shape: Shape, { mode, onNote }: TableOptions): RowTable {
    this.#tables += 1
    const tables = postgresTables({ ...this.#place, mode, onNote })
    return new RowWriter({ client: this.#main, tables, shape, stage: `sluice_rows_${this.#tables}` })
  }

  async aside(work: Work<void>): Promise<void> {
    try {
      if (this.#side.isLost) await this.#reopenSide()
      await doWork(this.#side, work)
    } catch (error) {
      // Otherwise the server is away: whoever needs it for rows will say so, and a commit renews the lease, too.
      if (error instanceof SluiceError) throw error
    }
  }

  trouble(error: unknown, act: string): unknown {
    return sinkError(error, this.#options, act)
  }

  failed(error: unknown): void {
    this.#main.destroy(error)
  }

  async close(release: Work<void> | undefined): Promise<void> {
    this.#isClosed = true
    // First: uncommitted work must not hold locks when another transaction begins.
    await this.#main.close()
    if (release !== undefined && !this.#side.isLost) await this.#release(release)
    await this.#side.close()
  }

  async #release(release: Work<void>): Promise<void> {
    const { signal } = this.#options
    // An aborted run does not wait for a silent server.
    const limit = signal?.aborted === true ? setTimeout(() => this.#side.destroy(signal.reason), ABORTED_MS) : undefined
    try {
      await doWork(this.#side, release)
    } catch {
      // A lease that cannot be released ends with the process, or expires.
    } finally {
      clearTimeout(limit)
    }
  }

  async #reopenSide(): Promise<void> {
    const lost = this.#side
    const side = await openSide(clientOptions(this.#options))
    if (this.#isClosed) return await side.close()
    this.#side = side
    await lost.close()
    // Asks the lost connection until then: a failure counts as no activity.
    this.#sessions.watchBy(side)
  }
}

function clientOptions({ connection, pipeline, timeoutMs, signal }: DatabaseOptions): ClientOptions {
  return { connection, name: `sluice/${pipeline}`, timeoutMs, signal }
}

function noSchema({ sink }: DatabaseOptions): SluiceError<'CONFIG_INVALID'> {
  const allowed = 'the name of a schema, as the search path of the user names none'
  const message = `Cannot write to ${sink}: schema takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key: 'schema', value: undefined, allowed })
}

/** Connects, takes the lease, restores the state of the last commit, and creates the known tables. */
export async function openPostgres<Row>(options: DatabaseOptions & SqlWriterOptions): Promise<SinkWriter<Row>> {
  return await SqlWriter.open<Row>(await PostgresDatabase.open(options), options)
}

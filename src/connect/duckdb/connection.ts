// A connection to one DuckDB file, with errors that say what went wrong.

import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { checkFolder } from '../kits/sql/check-folder.ts'
import { type Duckdb, loadDuckdb } from './client.ts'
import { acquire, MEMORY, release } from './connection/instances.ts'

export interface SessionOptions {
  /** What DuckDB may hold in memory: `256MB` by default. */
  readonly memory?: string | undefined
  /** Read-only: the file is opened so, unless this thread has it open for writing. */
  readonly isReading?: boolean
}

export type Row = Record<string, unknown>

export class Session {
  readonly duckdb: Duckdb
  readonly path: string
  readonly #connection: DuckDBConnection
  #isClosed = false

  private constructor(duckdb: Duckdb, path: string, connection: DuckDBConnection) {
    this.duckdb = duckdb
    this.path = path
    this.#connection = connection
  }

  /** @throws {SluiceError} STORAGE_FAILED, SINK_MISMATCH, or PIPELINE_HELD if another process has the file open */
  static async open(path: string, { memory = MEMORY, isReading = false }: SessionOptions = {}): Promise<Session> {
    const duckdb = await loadDuckdb()
    checkFolder(path)
    try {
      const instance = await acquire(duckdb, path, { memory, isReading })
      return new Session(duckdb, path, await instance.connect())
    } catch (error) {
      throw openError(path, error)
    }
  }

  /** Returns the number of rows changed. */
  async run(sql: string, values?: readonly DuckDBValue[]): Promise<number> {
    return (await this.#connection.run(sql, values === undefined ? undefined : [...values])).rowsChanged
  }

  async all(sql: string, values?: readonly DuckDBValue[]): Promise<Row[]> {
    const reader = await this.#connection.runAndReadAll(sql, values === undefined ? undefined : [...values])
    return reader.getRowObjects() as Row[]
  }

  /** The columns of a query. */
  async columnsOf(sql: string): Promise<readonly { readonly name: string; readonly type: DuckDBType }[]> {
    const statement = await this.#connection.prepare(sql)
    try {
      return Array.from({ length: statement.columnCount }, (_, at) => {
        return { name: statement.columnName(at), type: statement.columnType(at) }
      })
    } finally {
      statement.destroySync()
    }
  }

  /**
   * Begins to read. A result that ends early, because a row fails or it is interrupted, ends like any other: the reader
   * must know which row is the last one.
   */
  async stream(sql: string, values?: readonly DuckDBValue[]): Promise<DuckDBResult> {
    return await this.#connection.stream(sql, values === undefined ? undefined : [...values])
  }

  /** Interrupts the statement under way. */
  interrupt(): void {
    if (!this.#isClosed) this.#connection.interrupt()
  }

  /** Rolls back the open transaction, if any. */
  async rollBack(): Promise<void> {
    try {
      await this.run('rollback')
    } catch {
      // Without a transaction there is nothing to roll back; one that cannot be rolled back ends with the connection.
    }
  }

  /** A statement that is run many times, with strings as its parameters. */
  async prepare(sql: string): Promise<Statement> {
    return new Statement(await this.#connection.prepare(sql))
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#connection.closeSync()
    release(this.path)
  }
}

export class Statement {
  readonly #statement: DuckDBPreparedStatement

  constructor(statement: DuckDBPreparedStatement) {
    this.#statement = statement
  }

  /** One run at a time. */
  async run(values: readonly (string | null)[]): Promise<void> {
    for (const [at, value] of values.entries()) {
      if (value === null) this.#statement.bindNull(at + 1)
      else this.#statement.bindVarchar(at + 1, value)
    }
    await this.#statement.run()
  }

  close(): void {
    this.#statement.destroySync()
  }
}

/** The error for a file that could not be opened; if another process has it open, that process is named. */
export function openError(path: string, error: unknown): unknown {
  const found = messageOf(error).split('\n', 1)[0] ?? ''
  const cannot = `Cannot open ${JSON.stringify(path)}`
  // DuckDB does not name the program of a process that is about to end.
  const holder = /Conflicting lock is held in .*\bPID (\d+)/.exec(found)
  if (holder !== null) {
    const by = `process ${holder[1]}`
    const message = `${cannot}: ${by} has it open, and DuckDB allows one process`
    return new SluiceError('PIPELINE_HELD', message, { pipeline: path, by }, { cause: error })
  }
  return duckdbError(error, path, 'open', path)
}

/** Turns what DuckDB threw into an error that the caller can act on. */
export function duckdbError(error: unknown, path: string, act: string, table: string): unknown {
  if (error instanceof SluiceError) return error
  const found = messageOf(error).split('\n', 1)[0] ?? ''
  const message = `Cannot ${act} ${JSON.stringify(path)}: ${found}`
  const stored = (errno: string, words = message): SluiceError =>
    new SluiceError('STORAGE_FAILED', words, { path, errno }, { cause: error })
  if (/No space left|ENOSPC/i.test(found)) return stored('ENOSPC')
  if (/^Out of Memory/i.test(found)) return stored('ENOMEM', `${message} (see the option memory)`)
  if (/^(IO|Fatal|Internal) Error/i.test(found)) return stored('EIO')
  return new SluiceError('SINK_MISMATCH', message, { sink: path, table, found }, { cause: error })
}

// A connection to one DuckDB file, with errors that say what is in the way.

import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { DuckDBAppender, DuckDBConnection, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { quoteName } from '../sql/name.ts'
import { acquire, MEMORY, release } from './instances.ts'
import { type Duckdb, loadDuckdb } from './packages.ts'

/** Rows of one chunk: what DuckDB takes at once. */
const CHUNK_ROWS = 2048

export interface SessionOptions {
  /** What DuckDB may hold in memory: `256MB` by default. */
  readonly memory?: string | undefined
  /** Only reads: the file is opened so, unless this thread has it open for more. */
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
    const folder = dirname(resolve(path))
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      const message = `Cannot open ${JSON.stringify(path)}: there is no folder ${JSON.stringify(folder)} (ENOENT)`
      throw new SluiceError('STORAGE_FAILED', message, { path, errno: 'ENOENT' })
    }
    try {
      const instance = await acquire(duckdb, path, { memory, isReading })
      return new Session(duckdb, path, await instance.connect())
    } catch (error) {
      throw openTrouble(path, error)
    }
  }

  async run(sql: string, values?: readonly DuckDBValue[]): Promise<void> {
    await this.#connection.run(sql, values === undefined ? undefined : [...values])
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
   * Begins to read. A result that ends before its last row, as a row fails or it is interrupted, ends like any other:
   * who reads must know which row is the last one.
   */
  async stream(sql: string, values?: readonly DuckDBValue[]): Promise<DuckDBResult> {
    return await this.#connection.stream(sql, values === undefined ? undefined : [...values])
  }

  /** Ends what is under way. */
  interrupt(): void {
    if (!this.#isClosed) this.#connection.interrupt()
  }

  /** Ends the transaction that may be open, with nothing of it kept. */
  async rollBack(): Promise<void> {
    try {
      await this.run('rollback')
    } catch {
      // Without a transaction there is nothing to take back; one that cannot be goes with the connection.
    }
  }

  /** Appends columns of equal length to a table, chunk by chunk. */
  async append(
    table: string,
    types: readonly DuckDBType[],
    columns: readonly (readonly DuckDBValue[])[],
  ): Promise<void> {
    const bulk = await this.bulk(table, types)
    try {
      bulk.add(columns)
      bulk.flush()
    } finally {
      bulk.close()
    }
  }

  /** Begins to append to a table: to be flushed, and closed, within the transaction. */
  async bulk(table: string, types: readonly DuckDBType[]): Promise<Bulk> {
    return new Bulk(this.duckdb, types, await this.#connection.createAppender(table))
  }

  /** Rows into a table with a key: those that are there are overwritten. Of equal keys the last one must come alone. */
  async upsert(
    table: string,
    names: readonly string[],
    types: readonly DuckDBType[],
    key: readonly string[],
    columns: readonly (readonly DuckDBValue[])[],
  ): Promise<void> {
    const stage = await this.stage(names, types, columns)
    const all = names.map(quoteName).join(', ')
    const others = names.filter((name) => !key.includes(name))
    const change =
      others.length === 0
        ? 'do nothing'
        : `do update set ${others.map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`).join(', ')}`
    const sql = `insert into ${quoteName(table)} (${all}) select ${all} from ${stage} on conflict (${key.map(quoteName).join(', ')}) ${change}`
    await this.run(sql)
    await this.run(`drop table ${stage}`)
  }

  /** Rows in a table of this connection; gives its name. */
  async stage(
    names: readonly string[],
    types: readonly DuckDBType[],
    columns: readonly (readonly DuckDBValue[])[],
  ): Promise<string> {
    const fields = names.map((name, at) => `${quoteName(name)} ${types[at]}`)
    await this.run(`create or replace temp table sluice_stage (${fields.join(', ')})`)
    await this.append('sluice_stage', types, columns)
    return 'sluice_stage'
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#connection.closeSync()
    release(this.path)
  }
}

/** Rows on their way into a table. */
export class Bulk {
  readonly #duckdb: Duckdb
  readonly #types: readonly DuckDBType[]
  readonly #appender: DuckDBAppender

  constructor(duckdb: Duckdb, types: readonly DuckDBType[], appender: DuckDBAppender) {
    this.#duckdb = duckdb
    this.#types = types
    this.#appender = appender
  }

  /** Adds columns of equal length, chunk by chunk. */
  add(columns: readonly (readonly DuckDBValue[])[]): void {
    const rows = columns[0]?.length ?? 0
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const length = Math.min(CHUNK_ROWS, rows - from)
      const chunk = this.#duckdb.DuckDBDataChunk.create(this.#types, length)
      for (const [at, values] of columns.entries()) {
        chunk.setColumnValues(at, rows === length ? values : values.slice(from, from + length))
      }
      this.#appender.appendDataChunk(chunk)
    }
  }

  flush(): void {
    this.#appender.flushSync()
  }

  /** What was not flushed goes into the transaction, if there is one still: it is to be rolled back then. */
  close(): void {
    try {
      this.#appender.closeSync()
    } catch {
      // What could not be flushed was told of by `flush`.
    }
  }
}

function openTrouble(path: string, error: unknown): unknown {
  const found = messageOf(error).split('\n', 1)[0] ?? ''
  const cannot = `Cannot open ${JSON.stringify(path)}`
  const holder = /Conflicting lock is held in .*\(PID (\d+)\)/.exec(found)
  if (holder !== null) {
    const by = `process ${holder[1]}`
    return new SluiceError(
      'PIPELINE_HELD',
      `${cannot}: ${by} has it open, and DuckDB lets one process in`,
      { pipeline: path, by },
      { cause: error },
    )
  }
  return duckdbTrouble(error, path, 'open', path)
}

/** The error that a caller can act on for what DuckDB threw. */
export function duckdbTrouble(error: unknown, path: string, act: string, table: string): unknown {
  if (error instanceof SluiceError) return error
  const found = messageOf(error).split('\n', 1)[0] ?? ''
  const message = `Cannot ${act} ${JSON.stringify(path)}: ${found}`
  if (/No space left|ENOSPC/i.test(found))
    return new SluiceError('STORAGE_FAILED', message, { path, errno: 'ENOSPC' }, { cause: error })
  if (/^Out of Memory/i.test(found)) {
    const words = `${message} (see the option memory)`
    return new SluiceError('STORAGE_FAILED', words, { path, errno: 'ENOMEM' }, { cause: error })
  }
  if (/^(IO|Fatal|Internal) Error/i.test(found))
    return new SluiceError('STORAGE_FAILED', message, { path, errno: 'EIO' }, { cause: error })
  return new SluiceError('SINK_MISMATCH', message, { sink: path, table, found }, { cause: error })
}

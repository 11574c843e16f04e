// A DuckDB file, to write a pipeline's results to or to inspect.

import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { FOLDED, type Shape, type ShapeRules } from '../../kits/sql/shape.ts'
import type { TableOptions } from '../../kits/sql/table.ts'
import type { RowTable, SqlDatabase } from '../../kits/store/database.ts'
import type { SqlDialect } from '../../kits/store/dialect.ts'
import { SqlInspector } from '../../kits/store/inspector.ts'
import type { StoreOptions } from '../../kits/store/store.ts'
import type { Work } from '../../kits/store/work.ts'
import { SqlWriter, type SqlWriterOptions } from '../../kits/store/writer.ts'
import type { BatchSize, SinkInspector, SinkWriter } from '../../sink.ts'
import { IN_MEMORY } from '../connection/instances.ts'
import { duckdbError, Session } from '../connection.ts'
import { schemasOf } from './catalogue.ts'
import { RowWriter, STEP } from './rows.ts'
import { doWork, duckdbDialect } from './session.ts'

export interface DatabaseOptions {
  readonly path: string
  /** The table named in errors. */
  readonly table: string
  readonly memory?: string | undefined
}

/** Each statement has a fixed cost. */
const BATCH: BatchSize = { rows: 2048, bytes: 8 * 1024 * 1024 }

export class DuckdbDatabase implements SqlDatabase {
  readonly rules: ShapeRules = FOLDED
  readonly step: string = STEP
  readonly batch: BatchSize = BATCH
  readonly schemas: NonNullable<SqlDatabase['schemas']> = {
    names: schemasOf,
    use: (_, table) => `this sink writes to schema main, as table: '${table}'`,
  }
  readonly dialect: SqlDialect
  readonly #session: Session
  readonly #options: DatabaseOptions
  /** Objects that hold a statement of the connection. */
  readonly #rows: RowWriter[] = []

  private constructor(session: Session, options: DatabaseOptions) {
    this.#session = session
    this.#options = options
    this.dialect = duckdbDialect(options.path)
  }

  /**
   * @param file - opened instead of `path`
   */
  static async open(options: DatabaseOptions, file: string = options.path): Promise<DuckdbDatabase> {
    return new DuckdbDatabase(await Session.open(file, { memory: options.memory }), options)
  }

  do<T>(work: Work<T>): Promise<T> {
    return doWork(this.#session, work)
  }

  async begin(): Promise<void> {
    await this.#session.run('begin')
  }

  async commit(): Promise<void> {
    await this.#session.run('commit')
  }

  rows(shape: Shape, { mode, onNote }: TableOptions): RowTable {
    const place = { path: this.#options.path, stage: `sluice_stage_${this.#rows.length}`, mode, onNote }
    const rows = new RowWriter(this.#session, place, shape)
    this.#rows.push(rows)
    return rows
  }

  rollBack(): Promise<void> {
    return this.#session.rollBack()
  }

  trouble(error: unknown, act: string): unknown {
    const { path, table } = this.#options
    return duckdbError(error, path, act, table)
  }

  async close(release: Work<void> | undefined): Promise<void> {
    for (const rows of this.#rows) await rows.close()
    await this.rollBack()
    try {
      if (release !== undefined) await this.do(release)
    } catch {
      // A lease that cannot be released ends with the process, or expires.
    }
    this.#session.close()
  }
}

/** Takes the lease, restores the state of the last commit, and creates the known tables. */
export async function openDuckdb<Row>(options: DatabaseOptions & SqlWriterOptions): Promise<SinkWriter<Row>> {
  const { path, isDryRun = false } = options
  // A dry run does not create a missing file; if none can exist there, opening it says why.
  const isMissing = isDryRun && !existsSync(path) && existsSync(dirname(resolve(path)))
  return await SqlWriter.open<Row>(await DuckdbDatabase.open(options, isMissing ? IN_MEMORY : path), options)
}

/** @throws {SluiceError} PIPELINE_HELD if another process has the file open */
export async function inspectDuckdb(options: DatabaseOptions & StoreOptions): Promise<SinkInspector> {
  return new SqlInspector(existsSync(options.path) ? await DuckdbDatabase.open(options) : undefined, options)
}

// An SQLite file, to write a pipeline's results to or to inspect.

import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../../base/clock.ts'
import { orClose } from '../../../base/closing.ts'
import { SluiceError } from '../../../base/errors.ts'
import { openSqlite } from '../../kits/sql/open-sqlite.ts'
import type { Shape, ShapeRules } from '../../kits/sql/shape.ts'
import type { TableOptions } from '../../kits/sql/table.ts'
import type { RowTable, SqlDatabase } from '../../kits/store/database.ts'
import type { SqlDialect } from '../../kits/store/dialect.ts'
import { SqlInspector } from '../../kits/store/inspector.ts'
import type { StoreOptions } from '../../kits/store/store.ts'
import type { Work } from '../../kits/store/work.ts'
import { SqlWriter, type SqlWriterOptions } from '../../kits/store/writer.ts'
import type { SinkInspector } from '../../sink.ts'
import { errorOf, isBusy } from '../errors.ts'
import { copyForDryRun } from './dry-run.ts'
import { openDatabase } from './open-file.ts'
import { RowWriter, STEP } from './rows.ts'
import { RULES } from './rules.ts'
import { doWork, sqliteDialect } from './session.ts'

export interface DatabaseOptions {
  readonly path: string
  /** The table named in errors. */
  readonly table: string
  readonly signal?: AbortSignal | undefined
  /** Longest wait for the write lock, in clock milliseconds. */
  readonly lockWaitMs?: number | undefined
}

/**
 * Readers are not blocked, and a commit is on the disk when it returns. 32 MiB of pages are cached: the key's index is
 * searched for every row.
 */
const SETTINGS = 'pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768'

/** How long another program may hold the database's write lock before the run gives up. */
const LOCK_WAIT_MS = 10_000
const LOCK_RETRY_MS = 50
/** The same, for inspection: the thread is blocked meanwhile. */
const LOOK_WAIT_MS = 5000

/** All calls are synchronous, except the wait for the write lock: nothing comes in between two statements. */
export class SqliteDatabase implements SqlDatabase {
  readonly answersAtOnce: boolean = true
  readonly rules: ShapeRules = RULES
  readonly step: string = STEP
  readonly isBusy: (error: unknown) => boolean = isBusy
  readonly dialect: SqlDialect
  readonly #database: DatabaseSync
  readonly #options: DatabaseOptions

  constructor(database: DatabaseSync, options: DatabaseOptions) {
    this.#database = database
    this.#options = options
    this.dialect = sqliteDialect(options.path)
  }

  /** Opens a file for writing. */
  static async open(options: DatabaseOptions & SqlWriterOptions): Promise<SqliteDatabase> {
    const { path, pipeline, isDryRun = false } = options
    const database = isDryRun ? copyForDryRun(path, pipeline) : openDatabase(path)
    const opened = new SqliteDatabase(database, options)
    await orClose(database, () => opened.#retry('open', () => database.exec(SETTINGS)))
    return opened
  }

  do<T>(work: Work<T>): T {
    return doWork(this.#database, work)
  }

  /** The write lock may be held by the instance that took over this pipeline: then waiting is useless. */
  begin(kind: 'read' | 'reset' | 'write', act: string, checkFence: () => void): void | Promise<void> {
    if (kind !== 'write') return this.#database.exec(kind === 'read' ? 'begin' : 'begin immediate')
    const lock = (): void => {
      try {
        this.#database.exec('begin immediate')
      } catch (error) {
        if (isBusy(error)) checkFence()
        throw error
      }
      checkFence()
    }
    try {
      lock()
    } catch (error) {
      if (!isBusy(error)) throw error
      return this.#retry(act, lock)
    }
  }

  commit(): void {
    this.#database.exec('commit')
  }

  rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('rollback')
    } catch {
      // What could not be rolled back is rolled back by whoever opens the database next: nothing of it is committed.
    }
  }

  rows(shape: Shape, { mode, onNote, takesNul = false }: TableOptions): RowTable {
    return new RowWriter(this.#database, { path: this.#options.path, mode, onNote, takesNul }, shape)
  }

  trouble(error: unknown, act: string): unknown {
    const { path, table } = this.#options
    return errorOf(error, { path, act, table })
  }

  failed(): void {
    this.rollBack()
  }

  async close(release: Work<void> | undefined): Promise<void> {
    this.rollBack()
    try {
      if (release !== undefined) {
        await this.#retry('release', () => this.#database.exec('begin immediate'))
        this.do(release)
        this.commit()
      }
    } catch {
      // A lease that cannot be released ends with the process, or expires.
    }
    this.#database.close()
  }

  /** Retries until it succeeds, or another connection has prevented it for too long. */
  async #retry(act: string, work: () => void): Promise<void> {
    const { path, signal, lockWaitMs = LOCK_WAIT_MS } = this.#options
    const startMs = systemClock.nowMs()
    for (let attempts = 1; ; attempts += 1) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error)) throw this.trouble(error, act)
        const waitedMs = systemClock.nowMs() - startMs
        if (waitedMs >= lockWaitMs) {
          const held = `another program has held its lock for ${Math.round(waitedMs / 1000)} s (SQLITE_BUSY)`
          const message = `Cannot ${act} ${JSON.stringify(path)}: ${held}`
          throw new SluiceError('SINK_UNREACHABLE', message, { sink: path, attempts }, { cause: error })
        }
      }
      await systemClock.sleep(LOCK_RETRY_MS, signal)
    }
  }
}

/** Takes the lease, restores the state of the last commit, and creates the known tables. */
export async function openSqliteWriter<Row>(options: DatabaseOptions & SqlWriterOptions): Promise<SqlWriter<Row>> {
  return await SqlWriter.open<Row>(await SqliteDatabase.open(options), options)
}

export function inspectSqlite(options: DatabaseOptions & StoreOptions): SinkInspector {
  const { path } = options
  const database = existsSync(path) ? openSqlite(path, { timeout: LOOK_WAIT_MS }) : undefined
  return new SqlInspector(database === undefined ? undefined : new SqliteDatabase(database, options), options)
}

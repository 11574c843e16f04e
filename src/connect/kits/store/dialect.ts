// How databases differ in storing checkpoints, leases and dead letters.

import { systemClock } from '../../../base/clock.ts'
import { foldName, quoteName } from '../sql/name.ts'
import type { Shape } from '../sql/shape.ts'
import { type Upsert, upsert } from '../sql/upsert.ts'
import type { Work } from './work.ts'

export interface SqlDialect {
  /** The parameter of that number, from 1: `$1`, or `?`, as each is used once and in order. */
  parameter(number: number): string
  /** The name of a table as SQL, with its schema where there is one. */
  table(name: string): string
  /** A query for the folded `name` of all existing tables. */
  readonly tables: string
  /** A name as the database compares it. */
  fold(name: string): string
  readonly types: {
    readonly bytes: string
    /** For the times of leases and commits. */
    readonly time: string
  }
  /** For databases in which a dead instance may still hold locks: leases name the session of their holder. */
  readonly session?: {
    /** The current session as SQL: a unique text, or null. */
    readonly own: string
    /** Ends a session, as far as permitted. */
    end(session: unknown): Work<void>
  }
  /** The current time in SQL, as `types.time`: by the database's clock if instances on several machines share it. */
  now(): string
  /** The epoch milliseconds of a column of `types.time`. */
  millis(column: string): string
  /** The same of the column `time` of dead letters. */
  letterMillis(column: string): string
  /** A text as the database can hold it. */
  storable(text: string): string
  /** A suffix of `select` that locks its rows until the transaction ends. */
  readonly forUpdate: string
  upsert(rows: Upsert): string
  /** Keeps others from creating tables until the transaction ends. @throws if none may be created or changed */
  lockTables(): Work<void>
  /** Keeps others from opening the pipeline until the transaction ends. */
  alone(pipeline: string): Work<void>
  /** Creates a table, or checks the existing one. @throws {SluiceError} SINK_MISMATCH if that does not fit */
  makeTable(shape: Shape): Work<unknown>
}

/** What each database says for itself. */
type Own = 'parameter' | 'tables' | 'types' | 'letterMillis' | 'storable' | 'makeTable'

/** What is the same in databases that are a file of this process: nobody else changes it, and its clock is our own. */
export const OF_A_FILE: Omit<SqlDialect, Own> = {
  table: quoteName,
  fold: foldName,
  now: () => String(systemClock.wallMs()),
  millis: (column) => column,
  forUpdate: '',
  upsert,
  *lockTables() {},
  *alone() {},
}

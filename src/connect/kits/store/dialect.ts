// What differs from database to database in how checkpoints, leases and dead letters are kept.

import type { Shape } from '../sql/shape.ts'
import type { Upsert } from '../sql/upsert.ts'
import type { Work } from './work.ts'

export interface SqlDialect {
  /** The parameter of that number, from 1: `$1`, or `?`, as each is used once and in order. */
  parameter(number: number): string
  /** The name of a table as SQL, with its schema where there is one. */
  table(name: string): string
  /** A query of the `name` of all tables there are, folded. */
  readonly tables: string
  /** A name as the database compares it. */
  fold(name: string): string
  readonly types: {
    readonly bytes: string
    /** For the times of leases and commits. */
    readonly time: string
  }
  /** Where one that is gone may have locked what others need: leases name the session of who holds them. */
  readonly session?: {
    /** This one as SQL: a text that no other ever has, or null. */
    readonly own: string
    /** Ends one, as far as that is allowed. */
    end(session: unknown): Work<void>
  }
  /** The time now in SQL, as `types.time` holds it: by the database's clock where instances on several machines share it. */
  now(): string
  /** The epoch milliseconds of a column of `types.time`. */
  millis(column: string): string
  /** The same of the column `time` of dead letters. */
  letterMillis(column: string): string
  /** A text as the database can hold it. */
  storable(text: string): string
  /** What stands after a `select` whose rows nobody else may change until the transaction ends. */
  readonly forUpdate: string
  upsert(rows: Upsert): string
  /** Keeps others from making tables until the transaction ends. @throws if none may be made or changed */
  lockTables(): Work<void>
  /** Keeps others from opening the pipeline until the transaction ends. */
  alone(pipeline: string): Work<void>
  /** Makes a table, or checks the one that is there. @throws {SluiceError} SINK_MISMATCH if that does not fit */
  makeTable(shape: Shape): Work<unknown>
}

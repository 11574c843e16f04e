// What a database must provide so that a pipeline can write to it.

import type { Batch } from '../../batch.ts'
import type { DeadLetter } from '../../origin.ts'
import type { BatchSize } from '../../sink.ts'
import type { Shape, ShapeRules } from '../sql/shape.ts'
import type { TableOptions } from '../sql/table.ts'
import type { SqlDialect } from './dialect.ts'
import type { Soon } from './soon.ts'
import type { Work } from './work.ts'

/** Writes rows to one table, inside the current transaction. */
export interface RowTable {
  /** Creates the table if it is missing, or checks the existing one. @throws {SluiceError} SINK_MISMATCH */
  ensure(): Soon<void>
  /** Called once in every transaction, before its first rows. */
  enter(): Soon<void>
  /** Takes rows; returns a dead letter for each rejected one, all others are written. */
  write(rows: Batch): Soon<readonly DeadLetter[]>
  /** Waits until no statement is under way, before others are sent. Absent if statements are synchronous. */
  settled?(): Promise<void>
  /** Writes what is held back, before a commit. Absent if nothing is. */
  flush?(): Promise<void>
}

/** A connection to a database, and its transaction. */
export interface SqlConnection {
  readonly dialect: SqlDialect
  /** Does work: sends its statements, one after the other. */
  do<T>(work: Work<T>): Soon<T>
  /**
   * @param kind - the purpose of the transaction: a reading one sees all tables as of one commit
   * @param act - what it is begun for, for errors
   * @param checkFence - fails if another instance has taken over: called if it takes long to get a transaction, which
   *   locks out all others
   */
  begin(kind: 'read' | 'reset' | 'write', act: string, checkFence: () => Soon<void>): Soon<void>
  /** Makes the transaction durable. */
  commit(): Soon<void>
  /** Rolls back the open transaction, if any. Does not throw. Absent if closing the connection does that. */
  rollBack?(): Soon<void>
  /** Turns what was thrown into an error that the caller can act on. */
  trouble(error: unknown, act: string): unknown
  /** Rolls back, releases the lease, if there is one, and closes. Does not throw. */
  close(release: Work<void> | undefined): Soon<void>
}

/** A database that a pipeline writes to. */
export interface SqlDatabase extends SqlConnection {
  readonly rules: ShapeRules
  /** The step of its dead letters, which is its kind. */
  readonly step: string
  /** The preferred number of rows per write; absent if any number is fine. */
  readonly batch?: BatchSize
  /** Whether calls are synchronous: then they need not await each other. */
  readonly answersAtOnce?: boolean
  /** Writes the rows of a shape; several work independently. */
  rows(shape: Shape, options: TableOptions): RowTable
  /** The schemas that a dotted table name may refer to, and the advice for that case. */
  readonly schemas?: {
    names(): Work<readonly string[]>
    use(schema: string, table: string): string
  }
  /**
   * Does work on another connection, besides the transaction, unless that connection is lost. Absent if there is no
   * other connection: then nothing else happens while a transaction is open.
   */
  aside?(work: Work<void>): Promise<void>
  /** Whether an error says that another connection holds the lock. */
  isBusy?(error: unknown): boolean
  /** Whether the connection is known to be lost. */
  readonly isLost?: boolean
  /**
   * Something has failed for good: nothing of the transaction will be committed, and nobody should wait for its locks.
   */
  failed?(error: unknown): void
}

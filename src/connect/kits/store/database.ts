// What a database has to bring so that a pipeline can write to it.

import type { Batch } from '../../batch.ts'
import type { DeadLetter } from '../../origin.ts'
import type { BatchSize } from '../../sink.ts'
import type { Shape, ShapeRules } from '../sql/shape.ts'
import type { TableOptions } from '../sql/table.ts'
import type { SqlDialect } from './dialect.ts'
import type { Soon } from './soon.ts'
import type { Work } from './work.ts'

/** Writes rows into one table, inside the transaction at hand. */
export interface RowTable {
  /** Makes the table where it is missing, or checks the one that is there. @throws {SluiceError} SINK_MISMATCH */
  ensure(): Soon<void>
  /** Called once in every transaction, before its first rows. */
  enter(): Soon<void>
  /** Takes rows; gives back a letter for each that was refused, all others are written. */
  write(rows: Batch): Soon<readonly DeadLetter[]>
  /** Waits until no statement is under way: others follow. Absent where none ever is. */
  settled?(): Promise<void>
  /** Writes what is held back, before a commit. Absent where nothing is. */
  flush?(): Promise<void>
}

/** A connection to a database, and its transaction. */
export interface SqlConnection {
  readonly dialect: SqlDialect
  /** Does work: sends its statements, one after the other. */
  do<T>(work: Work<T>): Soon<T>
  /**
   * @param kind - what the transaction is for: what only reads sees all tables as of one commit
   * @param act - what it is begun for, as errors say it
   * @param checkFence - fails if another instance has taken over: called where a transaction is waited for long, and one
   *   that has begun keeps all others out
   */
  begin(kind: 'read' | 'reset' | 'write', act: string, checkFence: () => Soon<void>): Soon<void>
  /** Makes the transaction durable. */
  commit(): Soon<void>
  /** Forgets the transaction, if one is open. Does not throw. Absent where that goes with the connection. */
  rollBack?(): Soon<void>
  /** The error that a caller can act on for what was thrown. */
  trouble(error: unknown, act: string): unknown
  /** Forgets the transaction, lets go of the lease, if there is one, and closes. Does not throw. */
  close(release: Work<void> | undefined): Soon<void>
}

/** A database that a pipeline writes to. */
export interface SqlDatabase extends SqlConnection {
  readonly rules: ShapeRules
  /** The step of dead letters that it makes, which is its kind. */
  readonly step: string
  /** How many rows it likes to write at once; absent where it takes them as they come. */
  readonly batch?: BatchSize
  /** Whether calls are over when they return: then they need not wait for each other. */
  readonly answersAtOnce?: boolean
  /** Writes the rows of a shape; each of several does so beside the others. */
  rows(shape: Shape, options: TableOptions): RowTable
  /** The schemas that a name with a dot may be meant to name a table in, and what to say then. */
  readonly schemas?: {
    names(): Work<readonly string[]>
    use(schema: string, table: string): string
  }
  /**
   * Does work beside the transaction, on another connection, unless that is lost. Absent where there is none: then nothing
   * else is done while a transaction is open.
   */
  aside?(work: Work<void>): Promise<void>
  /** Whether an error says that another connection has the lock now. */
  isBusy?(error: unknown): boolean
  /** Whether the connection is known to be lost. */
  readonly isLost?: boolean
  /** Something has failed for good: nothing of the transaction is to be kept, and nobody is to wait for its locks. */
  failed?(error: unknown): void
}

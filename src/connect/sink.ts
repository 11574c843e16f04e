// The contract of sinks: where events leave, with commits.

import type { Columns } from './column.ts'
import type { DeadLetter, Traced } from './origin.ts'
import type { Position } from './source.ts'

/**
 * What became of every record read: `read + derived = loaded + dead + filtered + blank`, in every checkpoint.
 * `derived` is 0 unless a flatMap made several events of one.
 */
export interface Totals {
  readonly read: number
  /** Events beyond the first that a flatMap made of one record. */
  readonly derived: number
  readonly loaded: number
  readonly dead: number
  readonly filtered: number
  readonly blank: number
  readonly invalidUtf8: number
}

/** Positions and totals as of one barrier. */
export interface Checkpoint {
  /** Counts up by one with every commit, over all runs. */
  readonly epoch: number
  /** Split id → position. In a commit: the splits that moved since the last one. As restored: all. */
  readonly positions: ReadonlyMap<string, Position>
  /** Over all runs since the pipeline's first. */
  readonly totals: Totals
}

export interface SinkOptions {
  /** The name under which checkpoints are kept. */
  readonly pipeline: string
  /** The columns of the rows where they are known before the first row. */
  readonly columns?: Columns
  readonly signal?: AbortSignal
}

/**
 * What a crash leaves: `exactly-once` where rows, dead letters and checkpoint are one transaction, `once-per-key`
 * where a replay overwrites the same keys, else `at-least-once`.
 */
export type Guarantee = 'exactly-once' | 'once-per-key' | 'at-least-once'

/** A sink: describes where rows go, and opens a writer. It starts nothing by itself. */
export interface Sink<Row> {
  /** The kind of sink, for diagrams and the step of dead letters: `sqlite`. */
  readonly kind: string
  /** Where rows go, for a person: `table requests in out.db`. */
  readonly title: string
  /** Where dead letters go, for a person: `table dead_letters in out.db`. */
  readonly deadLetters: string
  readonly guarantee: Guarantee
  open(options: SinkOptions): Promise<SinkWriter<Row>>
}

/** Writes rows; what was written counts once `commit` has returned. One call at a time. */
export interface SinkWriter<Row> {
  /** What the last commit of this pipeline left, or undefined at a first run. */
  readonly checkpoint: Checkpoint | undefined
  /** Takes rows; gives back a letter for each row that the store refuses, all others are written. */
  write(events: readonly Traced<Row>[]): readonly DeadLetter[] | Promise<readonly DeadLetter[]>
  /** Takes dead letters. */
  bury(letters: readonly DeadLetter[]): void | Promise<void>
  /**
   * Makes everything since the last commit durable, together with the checkpoint: all of it or nothing.
   * @throws {SluiceError} PIPELINE_HELD if another instance has committed meanwhile
   */
  commit(checkpoint: Checkpoint): void | Promise<void>
  /** Forgets what was not committed, and closes. */
  close(): Promise<void>
}

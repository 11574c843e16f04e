// The contract of sinks: where events are written, with commits.

import type { Batch } from './batch.ts'
import type { Columns } from './column.ts'
import type { HeldLease } from './lease.ts'
import type { DeadLetter } from './origin.ts'
import type { Shard } from './shard.ts'
import type { Json, Position } from './source.ts'

/**
 * What became of every record read: `read + derived = loaded + dead + filtered + blank + absorbed`, in every checkpoint.
 * None is below 0.
 */
export interface Totals {
  readonly read: number
  /**
   * Events beyond the first that a flatMap made from one record, and results of windows, aggregates and joins, by as
   * much as an epoch emitted more events than it took in.
   */
  readonly derived: number
  readonly loaded: number
  readonly dead: number
  readonly filtered: number
  readonly blank: number
  /** Events that windows, aggregates, joins and batches took in, by as much as they emitted fewer in the same epoch. */
  readonly absorbed: number
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
  /**
   * Part → operator state, as bytes that a sink does not interpret. In a commit: the parts that changed since the last
   * one; no bytes for a part that is gone. As restored: all parts.
   */
  readonly states: ReadonlyMap<string, Uint8Array>
}

export interface SinkOptions {
  /** The name under which checkpoints are stored. */
  readonly pipeline: string
  /** Which of several copies that share the pipeline's splits it is; the only one by default. */
  readonly shard?: Shard
  /** The columns of the rows, if they are known before the first row. */
  readonly columns?: Columns
  /** Where not all are known: the types of some, for which the values of rows do not tell. */
  readonly types?: Columns
  /** Fields that tell rows apart, for a sink that was given no key. */
  readonly key?: readonly string[]
  /**
   * How long the lease on the pipeline holds without renewal, in milliseconds of wall time; after that another instance
   * may take it over. 15,000 by default.
   */
  readonly leaseMs?: number
  /** The run that holds the lease: the same when it opens its sink again. Random by default. */
  readonly owner?: string
  /**
   * The run that holds the lease: this writer is one of its many. It takes no lease and keeps no checkpoint; it commits
   * rows and dead letters only while that run has the lease. For sinks with `lends`.
   */
  readonly lentBy?: string
  readonly signal?: AbortSignal
  /** Receives notices for people, one line each. */
  readonly onNote?: (note: string) => void
}

/**
 * What a crash does: `exactly-once` if rows, dead letters and checkpoint are one transaction, `once-per-key` if a
 * replay overwrites the same keys, else `at-least-once`.
 */
export type Guarantee = 'exactly-once' | 'once-per-key' | 'at-least-once'

/** An epoch ends at whichever comes first. */
export interface EpochLength {
  /** Clock milliseconds. */
  readonly ms: number
  readonly events: number
}

/** Rows that have these fields, whatever else they have; any rows if the names are not known. */
export type RowOf<Key extends string> = string extends Key ? unknown : { readonly [Name in Key]: unknown }

/** A sink: describes where rows go, and opens a writer. It starts nothing by itself. */
export interface Sink<in Row> {
  /** The kind of sink, for diagrams and the step of dead letters: `sqlite`. */
  readonly kind: string
  /** Where rows go, for people: `table requests in out.db`. */
  readonly title: string
  /** Where dead letters go, for people: `table dead_letters in out.db`. */
  readonly deadLetters: string
  readonly guarantee: Guarantee
  /**
   * Whether a row overwrites an earlier one of the same key; false if no key was given, absent if there are no keys.
   */
  readonly isKeyed?: boolean
  /** The key that it was given, if it tells. */
  readonly key?: readonly string[]
  /** The fields that tell rows apart, where the flow says so and the sink was given no key. */
  readonly flowKey?: readonly string[]
  /** How long epochs are best, where nobody says how long they are to be. */
  readonly epochs?: EpochLength
  /** An exclusive resource (`file out.db`): two sinks of one pipeline must not share it. */
  readonly locks?: string
  /** Identifies the database that it writes to: sinks of the same one can share a transaction. */
  readonly database?: string
  /** Set if several copies may write, each with its own checkpoint and lease: it honours `SinkOptions.shard`. */
  readonly takesShards?: true
  /** Set if many writers of one run may write at once: it honours `SinkOptions.lentBy`. */
  readonly lends?: true
  /** Name → further sinks that rows go to through this one. */
  readonly branches?: ReadonlyMap<string, Sink<never>>
  /** The same, with sinks of one database for the first one and each branch, for tests; set where there are branches. */
  readonly withSinks?: (of: (sink: Sink<never>) => Sink<never>) => Sink<Row>
  /**
   * Takes the lease on the pipeline, and restores its last commit.
   * @throws {SluiceError} PIPELINE_HELD if another instance holds the lease; CHECKPOINT_INVALID; SINK_MISMATCH;
   *   SINK_LOST if it cannot be reached for now
   */
  open(options: SinkOptions): Promise<SinkWriter<Row>>
  /**
   * Opens it in the transactions of a writer of the same `database`, which is closed after it: what it writes and
   * commits becomes durable with the next commit of that writer, or is dropped with it.
   */
  readonly openBeside?: (writer: SinkWriter<never>, options: SinkOptions) => Promise<SinkWriter<Row>>
  /**
   * Opens a writer without lasting effects: it rejects what `open` and its writer would reject, takes no lease, and
   * creates or changes nothing permanently. Absent if a sink does not support it.
   */
  readonly dryRun?: (options: SinkOptions) => Promise<SinkWriter<Row>>
  /**
   * Inspects what is stored of a pipeline, without a lease and without creating anything; absent if a sink does not
   * support it.
   */
  readonly inspect?: (pipeline: string) => Promise<SinkInspector>
}

/** A dead letter as it is stored. */
export interface StoredDeadLetter extends DeadLetter {
  /** Which of the events that its record became: `part` of its origin. */
  readonly part: number
  /** The epoch that it was committed with, and when, in epoch milliseconds. */
  readonly epoch: number
  readonly timeMs: number
}

/** What is stored of a pipeline. */
export interface CheckpointSummary {
  readonly epoch: number
  readonly totals: Totals
  readonly positions: ReadonlyMap<string, Position>
  /** Part → its size in bytes. */
  readonly states: ReadonlyMap<string, number>
  /** Who committed last, and when: `by process 812 on web1 at …`. */
  readonly committed: string
  /** Who holds the pipeline now; undefined if no run does. */
  readonly holder: string | undefined
  /** Each of its copies, if there are several: everything above sums up all of them. */
  readonly shards?: readonly ShardSummary[]
}

/** One of several copies that share a pipeline. */
export interface ShardSummary {
  /** `2/8` */
  readonly shard: string
  /** 0 for one that has committed nothing yet. */
  readonly epoch: number
  readonly totals: Totals
  /** Who committed last, and when; undefined before the first commit. */
  readonly committed: string | undefined
  readonly holder: string | undefined
  /** Whether it never started. */
  readonly isMissing: boolean
}

/** Inspects what a sink stores of one pipeline. */
export interface SinkInspector {
  /** Undefined if nothing was committed yet. */
  checkpoint(): Promise<CheckpointSummary | undefined>
  /**
   * Dead letters by place (file, offset, step, part), at most `limit`, after `after`, where there need not be one.
   * Those without a file come first.
   */
  deadLetters(options: {
    readonly limit: number
    readonly after?: StoredDeadLetter
  }): Promise<readonly StoredDeadLetter[]>
  /**
   * Deletes positions, totals and states: the next run starts over. Rows stay, and so do dead letters, unless
   * `deadLetters` is set.
   * @throws {SluiceError} PIPELINE_HELD while a run holds the pipeline
   */
  reset(options: { readonly deadLetters: boolean }): Promise<void>
  /** The current lease of the pipeline; undefined if no run holds it. Absent if a sink has no leases. */
  lease?(): Promise<HeldLease | undefined>
  /**
   * Takes the lease with this number from its holder: the next run can have it at once, and the holder can commit
   * nothing any more. False if it has changed hands, or was released, meanwhile.
   */
  breakLease?(token: number): Promise<boolean>
  close(): Promise<void>
}

/** A split as one of several copies has listed it. */
export interface ListedSplit {
  /** The same on every machine. */
  readonly name: string
  /** What it is here, for people. */
  readonly path: string
  /** Its first bytes; undefined where nobody can tell. */
  readonly head: Uint8Array | undefined
}

/** How much is written at once. */
export interface BatchSize {
  readonly rows: number
  readonly bytes: number
}

/**
 * Writes rows; what was written counts once `commit` has returned. One call at a time, except `renewLease`.
 *
 * If a call fails with SINK_LOST, a commit under way may or may not have succeeded: opening the sink again restores the
 * `checkpoint` from where it was committed, which answers that.
 */
export interface SinkWriter<in Row> {
  /** What the last commit of this pipeline left, or undefined at a first run. */
  readonly checkpoint: Checkpoint | undefined
  /**
   * The preferred number of rows, and about how many bytes, per `write`; it may get more. Rows are then gathered, and
   * others are read while it writes. Absent if batches are written as they come.
   */
  readonly batch?: BatchSize
  /**
   * Writes rows; returns a dead letter for each row that the store rejects, all others are written. Every row has an
   * origin, which is made on request: ask for it only where it is needed. A dead letter has the origin that the batch
   * returned, as `deadLetterAt` makes it.
   */
  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]>
  /** Writes dead letters: one with the same place (source, offset, step, part) as another replaces it. */
  writeDeadLetters(letters: readonly DeadLetter[]): void | Promise<void>
  /** Deletes dead letters, with the next commit; absent if a sink does not support it. */
  deleteDeadLetters?(letters: readonly StoredDeadLetter[]): void | Promise<void>
  /**
   * Makes everything since the last commit durable, together with the checkpoint: all of it or nothing.
   * @throws {SluiceError} PIPELINE_HELD if another instance has taken the lease meanwhile
   */
  commit(checkpoint: Checkpoint): void | Promise<void>
  /**
   * Leaves what this copy has listed, all splits of all copies, where the others see it.
   * @returns those that belong to a copy which is at work and has not seen them: it does not read them in its run
   * @throws {SluiceError} SOURCE_DIFFERS if another one has listed something else, or what this one does not see
   */
  share?(listed: readonly ListedSplit[]): readonly ListedSplit[] | Promise<readonly ListedSplit[]>
  /** All is committed: waits until it has also come to the sinks that follow this one; absent where none do. */
  flush?(): Promise<void>
  /** Heartbeat: extends the lease by `leaseMs`. Called three times per lease period, even when idle. */
  renewLease?(): void | Promise<void>
  /** Drops what was not committed, releases the lease if it is still ours, and closes. */
  close(): Promise<void>
}

/**
 * A sink without transactions of its own: its checkpoints and dead letters are stored beside it. What `prepare` made
 * durable is made visible by `publish` once the epoch is committed.
 */
export interface TwoPhaseSink<in Row> {
  readonly kind: string
  /** Never present: lets the compiler tell a two-phase sink from one that keeps its own checkpoints. */
  readonly checkpoints?: never
  readonly title: string
  readonly guarantee: Guarantee
  open(options: TwoPhaseSinkOptions): Promise<TwoPhaseWriter<Row>>
}

export interface TwoPhaseSinkOptions {
  readonly pipeline: string
  readonly columns?: Columns
  readonly types?: Columns
  /**
   * What `prepare` returned for the last committed epoch; undefined in a first run. `open` must undo anything newer,
   * and leave what the note names for `publish`, which is called next.
   */
  readonly note: Json | undefined
  /** The last epoch committed; 0 before the first. */
  readonly epoch: number
  readonly signal?: AbortSignal
}

/** Writes the rows of a sink without transactions. One call at a time; after one has failed, only `close`. */
export interface TwoPhaseWriter<in Row> {
  /**
   * Writes rows as a {@link SinkWriter} does; returns a dead letter for each that is rejected, all others are written.
   */
  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]>
  /** Makes what was written since the last call durable, and returns what `publish` needs to make it visible. */
  prepare(epoch: number): Json | Promise<Json>
  /**
   * The epoch is committed: makes it visible. Called again with the same note whenever the sink is opened, and may then
   * find all, some or nothing of it done. No other instance can take over before it has ended: keep it short.
   */
  publish(note: Json): void | Promise<void>
  /** Drops what was not prepared, and closes. */
  close(): Promise<void>
}

// The contract of sinks: where events leave, with commits.

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
   * Events beyond the first that a flatMap made of one record, and results of windows, aggregates and joins, as far as an
   * epoch gave more events than it took in.
   */
  readonly derived: number
  readonly loaded: number
  readonly dead: number
  readonly filtered: number
  readonly blank: number
  /**
   * Events that windows, aggregates, joins and batches took in, less what they gave in the same epoch, as far as that is
   * less.
   */
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
   * Part → what stages remember, as bytes that mean nothing to a sink. In a commit: the parts that changed since the
   * last one; no bytes for a part that is gone. As restored: all that are there.
   */
  readonly states: ReadonlyMap<string, Uint8Array>
}

export interface SinkOptions {
  /** The name under which checkpoints are kept. */
  readonly pipeline: string
  /** Which of several copies that share the pipeline's splits it is of; the only one by default. */
  readonly shard?: Shard
  /** The columns of the rows where they are known before the first row. */
  readonly columns?: Columns
  /** Where not all are known: the types of some, for which the values of rows do not tell. */
  readonly types?: Columns
  /** Fields that tell rows apart, for a sink that was given no key. */
  readonly key?: readonly string[]
  /**
   * How long the lease on the pipeline holds without a sign of life, in milliseconds of wall time. 15,000 by default.
   * Whoever opens the pipeline then takes it over.
   */
  readonly leaseMs?: number
  /** The run that holds the lease: one that opens its sink again gives the same. Another one each time by default. */
  readonly owner?: string
  readonly signal?: AbortSignal
  /** Told, in one line each time, of what a person may want to know beside the writing. */
  readonly onNote?: (note: string) => void
}

/**
 * What a crash leaves: `exactly-once` where rows, dead letters and checkpoint are one transaction, `once-per-key`
 * where a replay overwrites the same keys, else `at-least-once`.
 */
export type Guarantee = 'exactly-once' | 'once-per-key' | 'at-least-once'

/** An epoch ends after the one or the other. */
export interface EpochLength {
  /** Clock milliseconds. */
  readonly ms: number
  readonly events: number
}

/** Rows that have these fields, whatever else they have; any rows where the names are not known. */
export type RowOf<Key extends string> = string extends Key ? unknown : { readonly [Name in Key]: unknown }

/** A sink: describes where rows go, and opens a writer. It starts nothing by itself. */
export interface Sink<in Row> {
  /** The kind of sink, for diagrams and the step of dead letters: `sqlite`. */
  readonly kind: string
  /** Where rows go, for a person: `table requests in out.db`. */
  readonly title: string
  /** Where dead letters go, for a person: `table dead_letters in out.db`. */
  readonly deadLetters: string
  readonly guarantee: Guarantee
  /** Whether a row overwrites an earlier one of the same key; false if no key was given, absent where none can be. */
  readonly isKeyed?: boolean
  /** The fields that tell rows apart, where the flow says so and the sink was given no key. */
  readonly flowKey?: readonly string[]
  /** How long epochs are best, where nobody says how long they are to be. */
  readonly epochs?: EpochLength
  /** What only one connection may write to at a time, where that is so: `file out.db`. Two sinks of one pipeline cannot share it. */
  readonly locks?: string
  /** The database that it writes to, by a name of its own: sinks of the same one can share a transaction. */
  readonly database?: string
  /** Set where several copies may write, each with a checkpoint and a lease of its own: it heeds `SinkOptions.shard`. */
  readonly takesShards?: true
  /** Name → other sinks that rows go to by this one. */
  readonly branches?: ReadonlyMap<string, Sink<never>>
  /**
   * Takes the lease on the pipeline, and goes to where its last commit left it.
   * @throws {SluiceError} PIPELINE_HELD if another instance holds the lease; CHECKPOINT_INVALID; SINK_MISMATCH;
   *   SINK_LOST if it cannot be reached for the moment
   */
  open(options: SinkOptions): Promise<SinkWriter<Row>>
  /**
   * Opens it in the transactions of a writer of the same `database`, which is closed after it: what it writes and commits
   * is durable with the next commit of that one, or forgotten with it.
   */
  readonly openBeside?: (writer: SinkWriter<never>, options: SinkOptions) => Promise<SinkWriter<Row>>
  /**
   * Opens a writer of which nothing lasts: it refuses what `open` and its writer would refuse, takes no lease, and makes
   * and changes nothing that stays. Absent where a sink cannot.
   */
  readonly dryRun?: (options: SinkOptions) => Promise<SinkWriter<Row>>
  /** Looks at what is kept of a pipeline, without a lease and without making anything; absent where a sink cannot. */
  readonly inspect?: (pipeline: string) => Promise<SinkInspector>
}

/** A dead letter as it is kept. */
export interface StoredDeadLetter extends DeadLetter {
  /** Which of the events that its record became: `part` of its origin. */
  readonly part: number
  /** The epoch that it was committed with, and when, in epoch milliseconds. */
  readonly epoch: number
  readonly timeMs: number
}

/** What is kept of a pipeline, to be looked at. */
export interface CheckpointSummary {
  readonly epoch: number
  readonly totals: Totals
  readonly positions: ReadonlyMap<string, Position>
  /** Part → its size in bytes. */
  readonly states: ReadonlyMap<string, number>
  /** Who committed last, and when: `by process 812 on web1 at …`. */
  readonly committed: string
  /** Who holds the pipeline now; undefined if nobody does. */
  readonly holder: string | undefined
  /** Each of its copies, where there are several: what is said above is of all of them together. */
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
  /** Whether it never came. */
  readonly isMissing: boolean
}

/** Looks at what a sink keeps of one pipeline. */
export interface SinkInspector {
  /** Undefined if nothing was committed yet. */
  checkpoint(): Promise<CheckpointSummary | undefined>
  /**
   * Dead letters by place (file, offset, step, part), `limit` at most, behind `after`, where there need not be one. Those
   * without a file come first.
   */
  deadLetters(options: {
    readonly limit: number
    readonly after?: StoredDeadLetter
  }): Promise<readonly StoredDeadLetter[]>
  /**
   * Forgets positions, totals and states: the next run starts over. Rows stay; dead letters, too, unless told otherwise.
   * @throws {SluiceError} PIPELINE_HELD while a run holds the pipeline
   */
  reset(options: { readonly deadLetters: boolean }): Promise<void>
  /** The lease of whoever holds the pipeline; undefined if nobody does. Absent where a sink has no leases. */
  lease?(): Promise<HeldLease | undefined>
  /**
   * Takes the lease of this number from who holds it: the next run can have it at once, and whoever had it commits nothing
   * any more. False where it has changed hands, or was let go, meanwhile.
   */
  breakLease?(token: number): Promise<boolean>
  close(): Promise<void>
}

/** A split as one of several copies has listed it. */
export interface ListedSplit {
  /** The same on every machine. */
  readonly name: string
  /** What it is here, for a person. */
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
 * Writes rows; what was written counts once `commit` has returned. One call at a time, but for `renew`.
 *
 * A call that fails with SINK_LOST leaves open whether a commit under way went through: who opens the sink anew finds
 * out from `checkpoint`, which the sink read back from where it was committed.
 */
export interface SinkWriter<in Row> {
  /** What the last commit of this pipeline left, or undefined at a first run. */
  readonly checkpoint: Checkpoint | undefined
  /**
   * How many rows, and about how many bytes of them, `write` likes to be given at once; more are given where they come
   * at once. Rows are then gathered, and others are read while it writes. Absent where batches are written as they come.
   */
  readonly batch?: BatchSize
  /**
   * Takes rows; gives back a letter for each row that the store refuses, all others are written. Every row has an origin,
   * which is made when it is asked for: ask for it only where it is needed. A letter has the origin that the batch gave,
   * as `deadLetterAt` makes it.
   */
  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]>
  /** Takes dead letters: one with the place (source, offset, step, part) of another replaces it. */
  writeDeadLetters(letters: readonly DeadLetter[]): void | Promise<void>
  /** Takes dead letters out again, with the commit that follows; absent where a sink cannot. */
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
  /** A sign of life: holds the lease for another `leaseMs`. Called three times in that, also while nothing comes. */
  renewLease?(): void | Promise<void>
  /** Forgets what was not committed, lets go of the lease if it is still ours, and closes. */
  close(): Promise<void>
}

/**
 * A sink without transactions of its own: its checkpoints and dead letters are kept beside it. What `prepare` made
 * durable is made visible by `finish` once the epoch is committed.
 */
export interface TwoPhaseSink<in Row> {
  readonly kind: string
  /** Never there: by it the compiler tells a plain sink from one that keeps its own checkpoints. */
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
   * What `prepare` gave for the last epoch that was committed; undefined at a first run. What is newer is to be undone
   * by `open`, and what the note names is to be left for `finish`, which is called next.
   */
  readonly note: Json | undefined
  /** The last epoch committed; 0 before the first. */
  readonly epoch: number
  readonly signal?: AbortSignal
}

/** Writes the rows of a sink without transactions. One call at a time; after one has failed, only `close`. */
export interface TwoPhaseWriter<in Row> {
  /** Takes rows as a {@link SinkWriter} does; gives back a letter for each that is refused, all others are written. */
  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]>
  /** Makes what was written since the last call durable, and gives what `finish` must know to make it visible. */
  prepare(epoch: number): Json | Promise<Json>
  /**
   * The epoch is committed: makes it visible. Called again with the same note whenever the sink is opened, and may then
   * find all, some or nothing of it done. No other instance can take over before it has ended: it is short.
   */
  publish(note: Json): void | Promise<void>
  /** Forgets what was not prepared, and closes. */
  close(): Promise<void>
}

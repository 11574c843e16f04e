// When the epochs of a run end.

import type { Clock } from '../base/clock.ts'
import type { Committed, EpochEnd } from './committer.ts'
import type { SourceCommand, SourceProgress } from './epoch-reports.ts'

export interface CoordinatorOptions {
  /** The last epoch committed. */
  readonly epoch: number
  /** How many stages read. */
  readonly sources: number
  /** Whether the results of open state are emitted when everything is read. */
  readonly hasMemory: boolean
  readonly epochMs: number
  readonly epochEvents: number
  readonly clock: Clock
  /** Reads this many records and no more: to find the one that crashes a worker. */
  readonly stopAfter?: number | undefined
  /** Whether stages started paused. */
  readonly isPaused?: boolean
  /** Whether results must be emitted even if nothing was read: they never were, or more events came since. */
  readonly areResultsDue: () => boolean
  /** A barrier is about to be sent. */
  readonly onBarrier: (epoch: number, end: EpochEnd) => void
  /** Sends a command to every stage that reads. */
  readonly tell: (command: SourceCommand) => void
}

/** How many epochs may be on their way to the sink at once. */
const MOST_OPEN = 2
/** Snapshots and their commits take at most a twentieth of the time: epochs last this many times longer. */
const SNAPSHOT_SHARE = 20

/** Why reading is held: too many dead letters are waiting for a commit, or someone paused the run. */
export type Hold = 'letters' | 'person'

/** Ends epochs by sending barriers from the sources. */
export class Coordinator {
  readonly #options: CoordinatorOptions
  readonly figures: SourceFigures = new SourceFigures()
  /** The last epoch whose barrier was sent, when that was, and the last committed epoch. */
  #sent: number
  #sentMs: number
  #committed: number
  #timer: AbortController | undefined
  /** How long the snapshots and the commit of the previous epoch took. */
  #costMs = 0
  readonly #holds = new Set<Hold>()
  #isStopping = false
  /** Whether it stopped because it had read all it was asked to. */
  hasStoppedAfter = false

  constructor(options: CoordinatorOptions) {
    this.#options = options
    this.#sent = options.epoch
    this.#sentMs = options.clock.nowMs()
    this.#committed = options.epoch
    if (options.isPaused === true) this.#holds.add('person')
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  progress(told: SourceProgress): void {
    this.figures.add(told)
    if (this.#isStopping) return
    if (this.figures.areExhausted(this.#options.sources)) return this.#finish()
    if (told.hasMoved && told.epoch > this.#sent) this.#startTimer()
    this.#endIfFull()
    const { stopAfter = Number.POSITIVE_INFINITY } = this.#options
    if (this.figures.read < stopAfter || this.#isStopping) return
    this.hasStoppedAfter = true
    this.stop()
  }

  /** Stops reading; everything already emitted is committed. */
  stop(): void {
    if (this.#isStopping) return
    this.#options.tell({ kind: 'stop' })
    this.#end('stop')
  }

  /** Pauses reading until nothing holds it; everything already read is committed. */
  hold(why: Hold): void {
    if (this.#isStopping) return
    if (this.#holds.size === 0) this.#options.tell({ kind: 'hold', isHeld: true })
    this.#holds.add(why)
    // A paused run that has not read anything has no epoch to end.
    if (why === 'letters' || this.figures.hasMovedSince(this.#sent)) this.#endEpoch()
  }

  letGo(why: Hold): void {
    if (!this.#holds.delete(why) || this.#holds.size > 0 || this.#isStopping) return
    this.#options.tell({ kind: 'hold', isHeld: false })
  }

  committed({ epoch, tookMs, snapshotMs }: Committed): void {
    this.#committed = epoch
    this.#costMs = this.#options.hasMemory ? snapshotMs + tookMs : 0
    this.#options.tell({ kind: 'committed', epoch })
    this.#endIfFull()
  }

  close(): void {
    this.#isStopping = true
    this.#timer?.abort()
  }

  #endIfFull(): void {
    const { epochEvents, clock } = this.#options
    if (this.figures.readSince(this.#sent) < epochEvents) return
    // Not before a snapshot is worth its cost; the timer is set.
    if (this.#costMs > 0 && clock.nowMs() - this.#sentMs < this.#costMs * SNAPSHOT_SHARE) return
    this.#endEpoch()
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return
    const timer = new AbortController()
    this.#timer = timer
    this.#options.clock.sleep(Math.max(this.#options.epochMs, this.#costMs * SNAPSHOT_SHARE), timer.signal).then(
      () => {
        this.#timer = undefined
        this.#endEpoch()
      },
      () => {}, // The epoch ended early.
    )
  }

  #endEpoch(): void {
    if (this.#isStopping) return
    // The sink is falling behind: another barrier would not speed it up.
    if (this.#sent - this.#committed >= MOST_OPEN) return this.#startTimer()
    this.#end('epoch')
  }

  /** Everything was read. Results of open state are emitted, unless they were before and nothing came since. */
  #finish(): void {
    const { hasMemory, areResultsDue } = this.#options
    this.#end(hasMemory && (this.figures.read > 0 || areResultsDue()) ? 'last' : 'stop')
  }

  #end(end: EpochEnd): void {
    const { clock, hasMemory, onBarrier, tell } = this.#options
    this.#timer?.abort()
    this.#timer = undefined
    this.#isStopping = end !== 'epoch'
    this.#sent += 1
    this.#sentMs = clock.nowMs()
    onBarrier(this.#sent, end)
    tell({ kind: 'barrier', epoch: this.#sent })
    // Open state is not emitted because a run stops: only because everything was read.
    if (end === 'last' || (end === 'stop' && !hasMemory)) tell({ kind: 'end' })
  }
}

class SourceFigures {
  /** Stage → its last report. */
  readonly #told = new Map<string, SourceProgress>()

  add(told: SourceProgress): void {
    this.#told.set(told.stage, told)
  }

  get read(): number {
    return this.#sum(({ read }) => read)
  }

  get doneBytes(): number {
    return this.#sum(({ doneBytes }) => doneBytes)
  }

  get skippedBytes(): number {
    return this.#sum(({ skippedBytes }) => skippedBytes)
  }

  /** A split being read. */
  get split(): string | undefined {
    return [...this.#told.values()].findLast(({ split }) => split !== undefined)?.split
  }

  /** Records read since the barrier of an epoch; earlier reports no longer count. */
  readSince(epoch: number): number {
    return this.#sum((told) => (told.epoch > epoch ? told.inEpoch : 0))
  }

  /** Whether a stage has something that the barrier of an epoch does not cover. */
  hasMovedSince(epoch: number): boolean {
    return [...this.#told.values()].some((told) => told.hasMoved && told.epoch > epoch)
  }

  /** Whether this many stages are at the end of their splits. */
  areExhausted(stages: number): boolean {
    return this.#told.size === stages && [...this.#told.values()].every(({ isExhausted }) => isExhausted)
  }

  #sum(of: (told: SourceProgress) => number): number {
    let sum = 0
    for (const progress of this.#told.values()) sum += of(progress)
    return sum
  }
}

// The end of an epoch: waits for all of its reports, then commits it, one call of the writer after the other.

import type { Clock } from '../base/clock.ts'
import { invariant } from '../base/invariant.ts'
import { type DeadLetter, isOfRecord } from '../connect/origin.ts'
import type { SinkWriter, StoredDeadLetter, Totals } from '../connect/sink.ts'
import type { Position } from '../connect/source.ts'
import type { SourceReport, StageReport } from './epoch-reports.ts'
import type { Epochs } from './epochs.ts'
import { PendingDeadLetters } from './pending-dead-letters.ts'
import type { StateParts } from './state-parts.ts'

/** How an epoch ended: by time or count, because everything was read, or because the run is stopping. */
export type EpochEnd = 'epoch' | 'last' | 'stop'

/** Dead letters under replay: they are deleted with the epoch that reads their records. */
export interface Retried {
  /** What an epoch replayed, up to these positions. */
  take(positions: ReadonlyMap<string, Position>): Tried
  /** The epoch taken last is committed. */
  committed(): void
}

export interface Tried {
  readonly letters: readonly StoredDeadLetter[]
  readonly records: number
}

/** An epoch that is committed. */
export interface Committed {
  readonly epoch: number
  /** How long the commit and the state snapshots took, in clock milliseconds. */
  readonly tookMs: number
  readonly snapshotMs: number
}

export interface CommitterOptions {
  readonly writer: Pick<SinkWriter<unknown>, 'writeDeadLetters' | 'deleteDeadLetters' | 'commit'>
  readonly epochs: Epochs
  readonly parts: StateParts
  /** Stages that report at a barrier, and those of them that report their end: they do not read. */
  readonly reporters: number
  readonly enders: number
  readonly clock: Clock
  readonly retried?: Retried | undefined
  /** Too many dead letters are waiting for a commit; or no longer. */
  readonly onFull: () => void
  readonly onRoom: () => void
  /** Dead letters have arrived. */
  readonly onLetters: () => void
  /** Dead letters were written into the transaction of their epoch. */
  readonly onBuried: (letters: readonly DeadLetter[]) => void
  readonly onCommitted: (committed: Committed) => void
  /** The last epoch of a stopping run is over. */
  readonly onStopped: () => void
}

interface OpenEpoch {
  readonly end: EpochEnd
  missing: number
  readonly complete: PromiseWithResolvers<void>
}

/** Placeholder for the number that an event without a record will get. */
const UNNUMBERED = -1

const NOTHING_TRIED: Tried = { letters: [], records: 0 }

/**
 * Owns the commit. The writer of rows reports how many there were, calls `barrier` when all rows of an epoch are
 * written, and writes nothing until it returns: replayed dead letters are deleted, new ones written, the totals must
 * add up, and everything is committed as one.
 */
export class Committer {
  readonly #options: CommitterOptions
  readonly #held: PendingDeadLetters
  readonly #open = new Map<number, OpenEpoch>()
  /** Rows that were written since the last commit. */
  #loaded = 0
  /** How long the snapshots since the last commit took. */
  #snapshotMs = 0
  /** The run's last epoch, once its barrier is sent: what is found later belongs to it. */
  #last = Number.POSITIVE_INFINITY
  /** Stages that may still have something to tell. */
  #unended: number
  readonly #allEnded = Promise.withResolvers<void>()
  #committing: Promise<void> | undefined
  #hasEnded = false
  #isClosed = false

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#held = new PendingDeadLetters(options)
    this.#unended = options.enders
    if (this.#unended === 0) this.#allEnded.resolve()
  }

  /** Whether the last epoch of the run is committed, or was empty. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** How many dead letters are waiting for their commit. */
  get heldLetters(): number {
    return this.#held.count
  }

  /** The barrier that ends an epoch is about to be sent. */
  open(epoch: number, end: EpochEnd): void {
    if (end !== 'epoch') this.#last = epoch
    this.#options.epochs.open(epoch)
    this.#open.set(epoch, { end, missing: this.#options.reporters, complete: Promise.withResolvers() })
  }

  source({ epoch, positions, counts }: SourceReport): void {
    this.#options.epochs.moved(epoch, positions, counts)
    this.#reported(epoch)
  }

  stage({ epoch, stage, counts, states, tookMs }: StageReport): void {
    this.#snapshotMs += tookMs
    this.#options.epochs.book(epoch, counts)
    this.#options.parts.take(epoch, stage, states)
    this.#reported(epoch)
  }

  letters(epoch: number, letters: readonly DeadLetter[]): void {
    this.#hold(Math.min(epoch, this.#last), letters.map(unnumbered))
  }

  /** A stage that does not read has nothing more to report than what it did since the last barrier. */
  ended(counts: Partial<Totals>): void {
    if (this.#open.has(this.#last)) this.#options.epochs.book(this.#last, counts)
    this.#unended -= 1
    if (this.#unended === 0) this.#allEnded.resolve()
  }

  /** Rows of the current epoch were written, and others rejected. */
  wrote(rows: number, refused: readonly DeadLetter[]): void {
    this.#loaded += rows
    if (refused.length > 0) this.#hold(this.#options.epochs.epoch + 1, refused)
  }

  /**
   * All rows of an epoch are written: commits it once all stages have reported. If results follow the last barrier of a
   * run, `end` commits the last epoch.
   */
  async barrier(epoch: number): Promise<void> {
    const open = this.#open.get(epoch)
    invariant(open !== undefined, `the barrier of epoch ${epoch} arrived, but that epoch is not open`)
    await open.complete.promise
    if (open.end === 'last') return
    await this.#commit(epoch, open.end)
    if (open.end === 'stop' && !this.#isClosed) this.#options.onStopped()
  }

  /** All rows of the run are written. Results emitted when a stage ended may have arrived before its dead letters. */
  async end(): Promise<void> {
    if (!this.#open.has(this.#last)) return
    await this.#allEnded.promise
    await this.#commit(this.#last, 'last')
  }

  /** Nothing is committed any more. */
  close(): void {
    this.#isClosed = true
    for (const { complete } of this.#open.values()) complete.resolve()
    this.#allEnded.resolve()
  }

  /** Resolves when no commit is under way, however it ended. */
  async idle(): Promise<void> {
    await this.#committing?.catch(() => {}) // Whoever awaits the commit gets the error.
  }

  async #commit(epoch: number, end: EpochEnd): Promise<void> {
    // Reports that were awaited may never have come.
    if (this.#isClosed) return
    this.#committing = this.#run(epoch, end)
    await this.#committing
    if (end !== 'epoch') this.#hasEnded = true
  }

  async #run(epoch: number, end: EpochEnd): Promise<void> {
    const { clock, epochs, parts, retried, writer, onBuried, onCommitted } = this.#options
    const tried = retried?.take(epochs.takePositions(epoch)) ?? NOTHING_TRIED
    if (tried.letters.length > 0) await writer.deleteDeadLetters?.(tried.letters)
    const letters = this.#held.take(epoch).map((letter) => this.#numbered(letter))
    if (letters.length > 0) {
      await writer.writeDeadLetters(letters)
      onBuried(letters)
    }
    epochs.book(epoch, { loaded: this.#loaded, dead: letters.length })
    epochs.triedAgain(epoch, { records: tried.records, letters: tried.letters.length })
    this.#loaded = 0
    if (end === 'last') parts.fire(epoch)
    else if (parts.hasFired && epochs.hasReadNothing(epoch)) parts.stayFired(epoch)
    const checkpoint = epochs.checkpoint(epoch, parts.changed(epoch))
    this.#open.delete(epoch)
    const isEmpty = epochs.isEmpty(epoch) && checkpoint.states.size === 0 && tried.records === 0
    if (end !== 'epoch' && isEmpty) return epochs.skipped(epoch)
    const beganMs = clock.nowMs()
    await writer.commit(checkpoint)
    const committed = { epoch, tookMs: clock.nowMs() - beganMs, snapshotMs: this.#snapshotMs }
    this.#snapshotMs = 0
    epochs.committed(epoch)
    parts.committed(epoch)
    this.#held.committed(epoch)
    retried?.committed()
    onCommitted(committed)
  }

  #hold(epoch: number, letters: readonly DeadLetter[]): void {
    this.#held.add(epoch, letters)
    this.#options.onLetters()
  }

  #numbered(letter: DeadLetter): DeadLetter {
    const { origin } = letter
    if (origin.offset !== UNNUMBERED) return letter
    return { ...letter, origin: { ...origin, offset: this.#options.parts.nextResults(1) } }
  }

  #reported(epoch: number): void {
    const open = this.#open.get(epoch)
    invariant(open !== undefined, `a stage reported for epoch ${epoch}, which is not open`)
    open.missing -= 1
    if (open.missing === 0) open.complete.resolve()
  }
}

/** The dead letter of an event without a record gets its number with its epoch; a rejected row has one already. */
function unnumbered(letter: DeadLetter): DeadLetter {
  return isOfRecord(letter.origin) ? letter : { ...letter, origin: { ...letter.origin, offset: UNNUMBERED } }
}

// The epochs of one run: when they end, what belongs to each, and when one can be committed.

import type { Clock } from '../base/clock.ts'
import { invariant } from '../base/invariant.ts'
import type { DeadLetter, Origin } from '../connect/origin.ts'
import type { Checkpoint } from '../connect/sink.ts'
import type { Epochs } from './epochs.ts'
import { HeldLetters } from './held-letters.ts'
import type { Ledger, SourceCommand, SourceProgress, SourceReport, SplitOpened, StageReport } from './ledger.ts'
import type { StateParts } from './state-parts.ts'

export interface CoordinatorOptions {
  readonly epochs: Epochs
  readonly parts: StateParts
  /** The stages that read, and all that report at a barrier. */
  readonly sources: number
  readonly reporters: number
  /** Those of them that tell when they have ended: they do not read. */
  readonly enders: number
  /** Whether results of what is still held go out when all is read. */
  readonly hasMemory: boolean
  readonly epochMs: number
  readonly epochEvents: number
  readonly clock: Clock
  /** Tells every stage that reads. */
  readonly tell: (command: SourceCommand) => void
  readonly onOpened: (opened: SplitOpened) => void
  readonly onNote: (split: string, note: string) => void
  /** So many records are read, and no more: to find the one that ends a worker among them. */
  readonly stopAfter?: number | undefined
  /** Dead letters have come. */
  readonly onLetters: () => void
  /** Whether stages began held back, as `pause` does it. */
  readonly isPaused?: boolean
}

/** How many epochs may be on their way to the sink at once. */
const MOST_OPEN = 2
/** Snapshots and their commits take a twentieth of the time at most: epochs last so many times longer. */
const SNAPSHOT_SHARE = 20

/** How an epoch came to its end: by time or count, because all was read, or because the run is to stop. */
export type EpochEnd = 'epoch' | 'last' | 'stop'

/** Too many dead letters wait for their commit; or somebody wants it so. */
type Hold = 'letters' | 'person'

interface OpenEpoch {
  readonly end: EpochEnd
  missing: number
  readonly complete: PromiseWithResolvers<void>
}

/**
 * Ends epochs by sending barriers from where events enter, and gathers what every stage reports of them. An epoch can
 * be committed once the barrier has come to the sink and all reports are there.
 */
export class Coordinator implements Ledger {
  readonly #options: CoordinatorOptions
  readonly #letters: HeldLetters
  readonly #open = new Map<number, OpenEpoch>()
  /** Step → its dead letters. */
  readonly #dead = new Map<string, number>()
  /** Stage → what it told last. */
  readonly #progress = new Map<string, SourceProgress>()
  /** The last epoch whose barrier was sent. */
  #sent: number
  #timer: AbortController | undefined
  /** How long the snapshots since the last commit took, and how long those of the epoch before took with their commit. */
  #takingMs = 0
  #costMs = 0
  /** When the last barrier was sent. */
  #sentMs: number
  #isStopping = false
  /** Why nothing is read for now. */
  readonly #holds = new Set<Hold>()
  /** The record that was worked on last, where they go one at a time. */
  lastSuspect: Origin | undefined
  /** Whether it stopped because it had read what it was to read. */
  hasStoppedAfter = false
  #hasEnded = false
  /** Stages that may still have something to tell. */
  #unended: number
  readonly #allEnded = Promise.withResolvers<void>()

  constructor(options: CoordinatorOptions) {
    this.#options = options
    this.#unended = options.enders
    if (this.#unended === 0) this.#allEnded.resolve()
    this.#sentMs = options.clock.nowMs()
    this.#sent = options.epochs.epoch
    if (options.isPaused === true) this.#holds.add('person')
    this.#letters = new HeldLetters({
      onFull: () => {
        if (this.#isStopping) return
        this.#hold('letters')
        this.#endEpoch('epoch')
      },
      onRoom: () => this.#letGo('letters'),
    })
  }

  /** Whether the run is over once the epoch is committed, and how. */
  endOf(epoch: number): EpochEnd {
    return this.#open.get(epoch)?.end ?? 'epoch'
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  get figures(): {
    readonly read: number
    readonly doneBytes: number
    readonly skippedBytes: number
    readonly split: string | undefined
  } {
    let [read, doneBytes, skippedBytes] = [0, 0, 0]
    let split: string | undefined
    for (const told of this.#progress.values()) {
      read += told.read
      doneBytes += told.doneBytes
      skippedBytes += told.skippedBytes
      split = told.split ?? split
    }
    return { read, doneBytes, skippedBytes, split }
  }

  source({ epoch, positions, counts }: SourceReport): void {
    this.#options.epochs.moved(epoch, positions, counts)
    this.#reported(epoch)
  }

  stage({ epoch, stage, states, tookMs }: StageReport): void {
    this.#takingMs += tookMs
    this.#options.parts.take(epoch, stage, states)
    this.#reported(epoch)
  }

  letters(epoch: number, letters: readonly DeadLetter[]): void {
    // What is found when all ends belongs to the last epoch: there is no later one.
    this.#letters.add(this.#hasEnded ? Math.min(epoch, this.#sent) : epoch, letters)
    for (const { step } of letters) this.#dead.set(step, (this.#dead.get(step) ?? 0) + 1)
    this.#options.onLetters()
  }

  ended(): void {
    this.#unended -= 1
    if (this.#unended === 0) this.#allEnded.resolve()
  }

  opened(opened: SplitOpened): void {
    this.#options.onOpened(opened)
  }

  noted(split: string, note: string): void {
    this.#options.onNote(split, note)
  }

  suspect(origin: Origin): void {
    this.lastSuspect = origin
  }

  progress(told: SourceProgress): void {
    this.#progress.set(told.stage, told)
    if (this.#isStopping) return
    const all = [...this.#progress.values()]
    if (all.length === this.#options.sources && all.every(({ isExhausted }) => isExhausted)) return this.#finish()
    if (told.hasMoved && told.epoch > this.#sent) this.#startTimer()
    this.#endIfFull()
    const { stopAfter = Number.POSITIVE_INFINITY } = this.#options
    if (this.figures.read < stopAfter || this.#isStopping) return
    this.hasStoppedAfter = true
    this.stop()
  }

  /** Reads nothing more: what was given is committed. */
  stop(): void {
    if (this.#isStopping) return
    this.#options.tell({ kind: 'stop' })
    this.#end('stop')
  }

  /** Reads nothing more until `resume`; what was read is committed. */
  pause(): void {
    if (this.#isStopping) return
    this.#hold('person')
    // What is still on its way is committed when its time has come.
    if ([...this.#progress.values()].some(({ epoch, hasMoved }) => hasMoved && epoch > this.#sent))
      this.#endEpoch('epoch')
  }

  resume(): void {
    this.#letGo('person')
  }

  /** Resolves when all that belongs to an epoch, whose barrier has come to the sink, is known. */
  async complete(epoch: number): Promise<void> {
    await this.#open.get(epoch)?.complete.promise
  }

  /** Resolves when no stage has anything more to tell: what went out at its end may have come before its letters. */
  async allEnded(): Promise<void> {
    await this.#allEnded.promise
  }

  /** Takes out the dead letters of an epoch that is complete. */
  lettersOf(epoch: number): readonly DeadLetter[] {
    return this.#letters.take(epoch)
  }

  /** Dead letters so far, by the step that made them: as many names as the flow has. */
  get dead(): ReadonlyMap<string, number> {
    return this.#dead
  }

  /** How many dead letters wait for their epoch. */
  get heldLetters(): number {
    return this.#letters.count
  }

  /** What is to be committed for an epoch that is complete. */
  checkpoint(epoch: number): Checkpoint {
    const { epochs, parts } = this.#options
    if (this.endOf(epoch) === 'last') parts.fire(epoch)
    else if (parts.hasFired && epochs.hasReadNothing(epoch)) parts.stayFired(epoch)
    return epochs.checkpoint(epoch, parts.changed(epoch))
  }

  /** @param tookMs - how long its commit took */
  committed(epoch: number, tookMs: number): void {
    const { epochs, parts, hasMemory } = this.#options
    this.#costMs = hasMemory ? this.#takingMs + tookMs : 0
    this.#takingMs = 0
    epochs.committed(epoch)
    parts.committed(epoch)
    this.#open.delete(epoch)
    this.#letters.committed(epoch)
    this.#options.tell({ kind: 'committed', epoch })
    this.#endIfFull()
  }

  close(): void {
    this.#isStopping = true
    this.#timer?.abort()
    for (const { complete } of this.#open.values()) complete.resolve()
    this.#allEnded.resolve()
  }

  #reported(epoch: number): void {
    const open = this.#open.get(epoch)
    invariant(open !== undefined, `a stage reported of epoch ${epoch}, which is not open`)
    open.missing -= 1
    if (open.missing === 0) open.complete.resolve()
  }

  /** Reads go on only when nothing holds them any more. */
  #hold(why: Hold): void {
    if (this.#holds.size === 0) this.#options.tell({ kind: 'hold', isHeld: true })
    this.#holds.add(why)
  }

  #letGo(why: Hold): void {
    if (!this.#holds.delete(why) || this.#holds.size > 0 || this.#isStopping) return
    this.#options.tell({ kind: 'hold', isHeld: false })
  }

  #endIfFull(): void {
    let inEpoch = 0
    // What was told before the last barrier came counts no more.
    for (const told of this.#progress.values()) if (told.epoch > this.#sent) inEpoch += told.inEpoch
    const { epochEvents, clock } = this.#options
    if (inEpoch < epochEvents) return
    // Not before it is worth its price; the timer is there.
    if (this.#costMs > 0 && clock.nowMs() - this.#sentMs < this.#costMs * SNAPSHOT_SHARE) return
    this.#endEpoch('epoch')
  }

  #startTimer(): void {
    if (this.#timer !== undefined) return
    const timer = new AbortController()
    this.#timer = timer
    this.#options.clock.sleep(Math.max(this.#options.epochMs, this.#costMs * SNAPSHOT_SHARE), timer.signal).then(
      () => {
        this.#timer = undefined
        this.#endEpoch('epoch')
      },
      () => {}, // The epoch ended before its time.
    )
  }

  #endEpoch(end: EpochEnd): void {
    if (this.#isStopping) return
    // The sink is behind: a barrier more would not make it faster.
    if (end === 'epoch' && this.#open.size >= MOST_OPEN) return this.#startTimer()
    this.#end(end)
  }

  /** All was read. Results of what is held go out, unless they did before and nothing came since. */
  #finish(): void {
    const { hasMemory, parts, epochs } = this.#options
    const isNew = this.figures.read > 0 || epochs.hasUncommitted || !parts.hasFired
    this.#end(hasMemory && isNew ? 'last' : 'stop')
  }

  #end(end: EpochEnd): void {
    this.#timer?.abort()
    this.#timer = undefined
    const isOver = end !== 'epoch'
    this.#isStopping = isOver
    this.#hasEnded = isOver
    this.#sent += 1
    this.#sentMs = this.#options.clock.nowMs()
    const { epochs, reporters, tell } = this.#options
    epochs.open(this.#sent)
    this.#open.set(this.#sent, { end, missing: reporters, complete: Promise.withResolvers() })
    tell({ kind: 'barrier', epoch: this.#sent })
    // What is held must not go out because a run stops: only because all was read.
    if (end === 'last' || (isOver && !this.#options.hasMemory)) tell({ kind: 'end' })
  }
}

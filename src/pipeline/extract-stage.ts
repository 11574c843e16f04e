// The first stage of a pipeline: gives what the extractor reads, as far as it is asked, and ends epochs.

import type { Clock } from '../base/clock.ts'
import { isPromise } from '../base/promise.ts'
import type { Entry } from '../connect/origin.ts'
import type { ProducerSpec } from '../stage/hooks.ts'
import type { Producer } from '../stage/stage.ts'
import type { Epochs } from './epochs.ts'
import type { Extractor } from './extract.ts'

type AnyEntry = Entry<unknown>

export interface ExtractStageOptions {
  readonly extractor: Extractor
  readonly epochs: Epochs
  readonly epochMs: number
  readonly epochEvents: number
  readonly clock: Clock
}

/** What this stage is told from outside: to stop reading and end. */
export const DRAIN = 'drain'

/**
 * Hooks of the extracting stage. An epoch ends `epochMs` after its first entry, or after `epochEvents` entries; the
 * last one before the end. Nothing waits for an epoch's commit: the barrier travels behind the entries.
 */
export class ExtractStage implements ProducerSpec<AnyEntry> {
  readonly name = 'extract'
  readonly whenFull = 'fail'
  readonly #options: ExtractStageOptions
  /** Asked for and not yet given. */
  #missing = 0
  /** Entries given since the last barrier. */
  #sinceBarrier = 0
  /** Ends the wait for the next barrier; undefined while nothing waits for one. */
  #timer: AbortController | undefined
  /** Whether the end has been given. */
  #isOver = false

  constructor(options: ExtractStageOptions) {
    this.#options = options
  }

  onDemand(demand: number, self: Producer<AnyEntry>): void | Promise<void> {
    this.#missing += demand
    return this.#pump(self)
  }

  onMessage(_message: typeof DRAIN, self: Producer<AnyEntry>): void {
    this.#finish(self)
  }

  async onEnd(): Promise<void> {
    this.#isOver = true
    this.#timer?.abort()
    await this.#options.extractor.close()
  }

  #pump(self: Producer<AnyEntry>): void | Promise<void> {
    while (this.#missing > 0 && !this.#isOver) {
      const given = this.#options.extractor.next(this.#missing)
      if (isPromise(given)) return this.#await(given, self)
      this.#take(given, self)
    }
  }

  async #await(given: Promise<readonly AnyEntry[] | undefined>, self: Producer<AnyEntry>): Promise<void> {
    try {
      this.#take(await given, self)
    } catch (error) {
      // A read that was stopped has said all that it will.
      if (!this.#options.extractor.isStopped) throw error
      this.#finish(self)
    }
    return this.#pump(self)
  }

  #take(entries: readonly AnyEntry[] | undefined, self: Producer<AnyEntry>): void {
    if (entries === undefined) return this.#finish(self)
    this.#missing -= entries.length
    this.#sinceBarrier += entries.length
    self.emit(entries)
    if (this.#sinceBarrier >= this.#options.epochEvents) this.#endEpoch(self)
    else if (this.#timer === undefined) this.#startTimer(self)
  }

  #startTimer(self: Producer<AnyEntry>): void {
    const timer = new AbortController()
    this.#timer = timer
    const { clock, epochMs } = this.#options
    clock.sleep(epochMs, timer.signal).then(
      () => this.#endEpoch(self),
      () => {}, // The epoch ended before its time.
    )
  }

  #endEpoch(self: Producer<AnyEntry>): void {
    this.#timer?.abort()
    this.#timer = undefined
    this.#sinceBarrier = 0
    const { extractor, epochs } = this.#options
    if (extractor.hasMoved) self.barrier(epochs.open(extractor.cut()))
  }

  #finish(self: Producer<AnyEntry>): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#endEpoch(self)
    self.complete()
  }
}

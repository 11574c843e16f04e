// A stage that reads the splits of a source, taking the next one when one is at its end.

import { inTime } from '../base/closing.ts'
import type { DeadLetter } from '../connect/origin.ts'
import type { Source, Split, SplitReader } from '../connect/source.ts'
import { valuesOf } from '../connect/values-of.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import { producer } from '../stage/make.ts'
import type { Producer } from '../stage/stage.ts'

/** Hands out the splits of one source, each once, to all stages that read it, in whatever thread. */
export interface SplitQueue {
  take(): Split | undefined
}

export interface SplitsStageOptions {
  readonly name: string
  readonly source: Source<unknown>
  /** Opened at the first demand. */
  readonly queue: (signal: AbortSignal) => Promise<SplitQueue>
  readonly dispatcher: DispatcherSpec<unknown, never>
  readonly dead: (letter: DeadLetter) => void
  /** Shown what was read. */
  readonly meter: (values: readonly unknown[]) => void
}

/** The most events read before they go out. */
const READ_AT_ONCE = 4096

export function splitsStage(options: SplitsStageOptions): Producer<unknown> {
  const reading = new Reading(options)
  return producer<unknown>({
    name: options.name,
    dispatcher: options.dispatcher,
    unwanted: 'end',
    onDemand: (demand, self) => reading.onDemand(demand, self),
    onEnd: () => reading.close(),
  })
}

class Reading {
  readonly #options: SplitsStageOptions
  #queue: SplitQueue | undefined
  /** The open split. */
  #reader: SplitReader<unknown> | undefined
  /** Asked for and not yet read. */
  #missing = 0
  /** The last run of the loop, and whether it is under way. */
  #loop: Promise<void> | undefined
  #isReading = false
  #isClosed = false

  constructor(options: SplitsStageOptions) {
    this.#options = options
  }

  onDemand(demand: number, self: Producer<unknown>): void {
    this.#missing += demand
    if (!this.#isReading) this.#loop = this.#run(self).catch((error: unknown) => self.fail(error))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    // A read under way ends by itself, or by the stage's signal.
    const isOver = this.#loop ?? Promise.resolve()
    await inTime(isOver.then(() => this.#reader?.close()))
  }

  /** Reads as far as is wanted. It has stopped as soon as nothing is: what is asked for then begins it anew. */
  async #run(self: Producer<unknown>): Promise<void> {
    this.#isReading = true
    try {
      this.#queue ??= await this.#options.queue(self.signal)
      while (this.#missing > 0 && !this.#isClosed) {
        const reader = this.#reader ?? (await this.#openNext(self.signal))
        if (reader === undefined) return self.complete()
        const read = valuesOf(reader, Math.min(this.#missing, READ_AT_ONCE), this.#options.dead)
        const values = read instanceof Promise ? await read : read
        if (this.#isClosed) return
        if (values === undefined) await this.#closeReader(reader)
        else if (values.length > 0) {
          this.#missing -= values.length
          this.#options.meter(values)
          self.emit(values)
        }
      }
    } finally {
      this.#isReading = false
    }
  }

  async #closeReader(reader: SplitReader<unknown>): Promise<void> {
    this.#reader = undefined
    await reader.close()
  }

  async #openNext(signal: AbortSignal): Promise<SplitReader<unknown> | undefined> {
    const split = this.#queue?.take()
    if (split !== undefined)
      this.#reader = await this.#options.source.open(split, undefined, { signal, isForValues: true })
    return this.#reader
  }
}

/** The splits of a source in this thread alone; listed when the first stage asks. */
export function localQueue(source: Source<unknown>): SplitsStageOptions['queue'] {
  let listed: Promise<SplitQueue> | undefined
  return (signal) => {
    listed ??= list(source, signal)
    return listed
  }
}

async function list(source: Source<unknown>, signal: AbortSignal): Promise<SplitQueue> {
  const splits = await source.splits({ signal })
  let next = 0
  return {
    take() {
      next += 1
      return splits[next - 1]
    },
  }
}

// The last stage of a pipeline: writes rows, buries dead letters, and commits at every barrier.

import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { isPromise } from '../base/promise.ts'
import type { Coordinator } from '../checkpoint/coordinator.ts'
import type { Epochs } from '../checkpoint/epochs.ts'
import { type DeadLetter, isOfRecord, type Origin, type Traced, traced } from '../connect/origin.ts'
import type { SinkWriter } from '../connect/sink.ts'
import { bytesOfSample } from '../engine/size.ts'
import { textOf } from '../flow/letter.ts'
import { type Top, TopCounter } from '../observe/top.ts'
import type { ConsumerSpec } from '../stage/hooks.ts'
import type { RejectLimit } from './reject-limit.ts'
import type { Replayed, Tried } from './replayed.ts'
import type { RunEvent } from './report.ts'

type AnyEvent = Traced<unknown>

export interface LoadStageOptions {
  readonly writer: SinkWriter<unknown>
  readonly epochs: Epochs
  readonly coordinator: Coordinator
  readonly clock: Clock
  readonly limit: RejectLimit
  /** Whether events come with their origins, and whether some were made of many records. */
  readonly isTraced: boolean
  readonly hasResults: boolean
  /** The number of the next event without a record. */
  readonly nextResult: () => number
  readonly tops: TopCounters
  readonly onEvent: (event: RunEvent) => void
  /** Called after every batch in which something was rejected. */
  readonly onRejected: () => void
  /** Dead letters that are tried again: taken out with the epoch that reads them; those that fail again come back. */
  readonly replayed?: Replayed | undefined
  /** The run's last epoch is committed, and no end will come by itself. */
  readonly onStopped: () => void
}

const NOTHING_TRIED: Tried = { letters: [], records: 0 }

/** Hooks of the loading stage: waits only where the writer does. */
export class LoadStage implements ConsumerSpec<unknown> {
  readonly name = 'load'
  readonly #options: LoadStageOptions
  /** Since the last barrier. */
  #loaded = 0
  #dead = 0
  /** Rows that were written in this attempt, and those that the sink refused. */
  written = 0
  refused = 0
  /** Rows that are gathered until there are enough to be written at once. */
  #gathered: AnyEvent[] = []
  #gatheredBytes = 0
  /** The write under way, while others are gathered; never fails by itself. */
  #writing: Promise<void> | undefined
  /** What a write failed with that nobody waited for. */
  #failure: { readonly error: unknown } | undefined
  /** Rows of records that are tried again, which the sink refused: they have the places of letters that go first. */
  #refusedAgain: DeadLetter[] = []
  /** The epoch that is committed only when all results have come. */
  #last: number | undefined

  constructor(options: LoadStageOptions) {
    this.#options = options
  }

  onEvents(batch: readonly unknown[]): void | Promise<void> {
    const events = this.#traced(batch)
    const { batch: size } = this.#options.writer
    if (size === undefined) return this.#write(events)
    this.#throwFailure()
    for (const event of events) this.#gathered.push(event)
    this.#gatheredBytes += bytesOfSample(events.map(({ value }) => value))
    if (this.#gathered.length < size.rows && this.#gatheredBytes < size.bytes) return
    if (this.#writing === undefined) return this.#writeGathered()
    return this.#writing.then(() => this.#writeGathered())
  }

  async onBarrier(epoch: number): Promise<void> {
    const { coordinator, onStopped } = this.#options
    const end = coordinator.endOf(epoch)
    await coordinator.complete(epoch)
    if (end === 'last') {
      this.#last = epoch
      return
    }
    await this.#commit(epoch)
    if (end === 'stop') onStopped()
  }

  async onComplete(): Promise<void> {
    if (this.#last === undefined) return
    await this.#options.coordinator.allEnded()
    await this.#commit(this.#last)
  }

  async #commit(epoch: number): Promise<void> {
    const { clock, coordinator, epochs, limit, writer, onEvent, replayed } = this.#options
    await this.#flush()
    const tried = replayed?.take(epochs, epoch) ?? NOTHING_TRIED
    if (tried.letters.length > 0) await writer.exhume?.(tried.letters)
    if (this.#refusedAgain.length > 0) await this.#bury(this.#refusedAgain.splice(0))
    const letters = coordinator.lettersOf(epoch)
    if (letters.length > 0) await this.#bury(letters.map((letter) => this.#numbered(letter)))
    epochs.book(epoch, { loaded: this.#loaded, dead: this.#dead })
    epochs.triedAgain(epoch, { records: tried.records, letters: tried.letters.length })
    this.#loaded = 0
    this.#dead = 0
    const checkpoint = coordinator.checkpoint(epoch)
    const isOver = coordinator.endOf(epoch) !== 'epoch'
    const isEmpty = epochs.isEmpty(epoch) && checkpoint.states.size === 0 && tried.records === 0
    if (isOver && isEmpty) return epochs.skipped(epoch)
    const beganMs = clock.nowMs()
    await writer.commit(checkpoint)
    const tookMs = clock.nowMs() - beganMs
    coordinator.committed(epoch, tookMs)
    replayed?.committed()
    limit.committed()
    onEvent({ kind: 'committed', epoch, totals: epochs.overall, tookMs })
  }

  /** Events with their origins: those without a record have a number. */
  #traced(batch: readonly unknown[]): readonly AnyEvent[] {
    const { isTraced, hasResults, nextResult } = this.#options
    if (!isTraced) return batch.map((value) => traced(value, new ResultOrigin(nextResult(), value)))
    const events = batch as readonly AnyEvent[]
    if (!hasResults) return events
    return events.map((event) =>
      isOfRecord(event.origin) ? event : traced(event.value, new ResultOrigin(nextResult(), event.value)),
    )
  }

  #numbered(letter: DeadLetter): DeadLetter {
    const { origin } = letter
    if (isOfRecord(origin)) return letter
    return { ...letter, origin: { ...origin, offset: this.#options.nextResult() } }
  }

  /** Rows that wait until there are enough of them. */
  get gathered(): number {
    return this.#gathered.length
  }

  /** Resolves when nothing is being written any more, however that ended. */
  async idle(): Promise<void> {
    await this.#writing
  }

  #write(events: readonly AnyEvent[]): void | Promise<void> {
    const refused = this.#options.writer.write(events)
    if (isPromise(refused)) return refused.then((later) => this.#written(events, later))
    return this.#written(events, refused)
  }

  /** Begins to write what was gathered; the stage goes on meanwhile. */
  #writeGathered(): void {
    this.#throwFailure()
    const events = this.#gathered
    this.#gathered = []
    this.#gatheredBytes = 0
    const done = this.#write(events)
    if (done === undefined) return
    this.#writing = done
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  /** Writes all that was gathered. */
  async #flush(): Promise<void> {
    await this.#writing
    this.#throwFailure()
    if (this.#gathered.length > 0) this.#writeGathered()
    await this.#writing
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #written(events: readonly AnyEvent[], refused: readonly DeadLetter[]): void | Promise<void> {
    this.#loaded += events.length - refused.length
    this.written += events.length - refused.length
    this.refused += refused.length
    this.#options.tops.count(events, refused)
    if (refused.length === 0) return
    if (this.#options.replayed === undefined) return this.#bury(refused)
    for (const letter of refused) this.#refusedAgain.push(letter)
  }

  async #bury(letters: readonly DeadLetter[]): Promise<void> {
    const { limit, onEvent, onRejected, writer } = this.#options
    await writer.bury(letters)
    this.#dead += letters.length
    limit.add(letters)
    for (const letter of letters) onEvent({ kind: 'rejected', letter })
    onRejected()
  }
}

/** The origin of an event that was made of many records: its text is written only if it is asked for. */
class ResultOrigin implements Origin {
  readonly source = ''
  readonly line = 0
  readonly offset: number
  readonly #value: unknown

  constructor(offset: number, value: unknown) {
    this.offset = offset
    this.#value = value
  }

  get raw(): string {
    return textOf(this.#value)
  }
}

/** How many of the commonest values a summary names, and how many are told apart to find them. */
const TOP_NAMED = 5
const TOP_COUNTED = 20_000

type TopOf = (row: never) => string | number | null

/** The commonest values of the rows that were loaded. */
export class TopCounters {
  readonly #tops: readonly { readonly title: string; readonly of: TopOf; readonly counter: TopCounter }[]

  constructor(tops: Readonly<Record<string, TopOf>>) {
    this.#tops = Object.entries(tops).map(([title, of]) => {
      return { title, of, counter: new TopCounter({ size: TOP_COUNTED }) }
    })
  }

  count(events: readonly AnyEvent[], refused: readonly DeadLetter[]): void {
    if (this.#tops.length === 0) return
    const gone = new Set<Origin>(refused.map(({ origin }) => origin))
    for (const { of, counter } of this.#tops) {
      for (const { value, origin } of events) {
        if (!gone.has(origin)) counter.add(topText(of, value))
      }
    }
  }

  /** Title → the commonest values so far. */
  top(): Record<string, Top> {
    return Object.fromEntries(this.#tops.map(({ title, counter }) => [title, counter.top(TOP_NAMED)]))
  }
}

/** What a row counts as in the summary; a function that throws costs its line there, not the load. */
function topText(of: TopOf, value: unknown): string {
  try {
    return String(of(value as never) ?? '-')
  } catch (error) {
    return `error: ${messageOf(error)}`
  }
}

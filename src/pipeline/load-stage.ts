// The last stage of a pipeline: writes rows, buries dead letters, and commits at every barrier.

import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { isPromise } from '../base/promise.ts'
import type { Coordinator } from '../checkpoint/coordinator.ts'
import type { Epochs } from '../checkpoint/epochs.ts'
import { type Batch, batchOf, batchOfTraced, joined, type Origins, withOwnOrigins } from '../connect/batch.ts'
import { type DeadLetter, isOfRecord, type Origin, type Traced } from '../connect/origin.ts'
import type { SinkWriter } from '../connect/sink.ts'
import { bytesOfSample } from '../engine/size.ts'
import { textOf } from '../flow/letter.ts'
import { type Top, TopCounter } from '../observe/top.ts'
import type { ConsumerSpec } from '../stage/hooks.ts'
import type { RejectLimit } from './reject-limit.ts'
import type { Replayed, Tried } from './replayed.ts'
import type { RunEvent } from './report.ts'

export interface LoadStageOptions {
  readonly writer: SinkWriter<unknown>
  readonly epochs: Epochs
  readonly coordinator: Coordinator
  readonly clock: Clock
  readonly limit: RejectLimit
  /** Whether events come with their origins, and whether some were made of many records. */
  readonly isTraced: boolean
  readonly hasResults: boolean
  /** Numbers for so many events without a record: the first of them. */
  readonly nextResults: (count: number) => number
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
  #gathered: Batch[] = []
  #gatheredRows = 0
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

  onEvents(events: readonly unknown[] | Batch): void | Promise<void> {
    const rows = this.#batchOf(events)
    const { batch: size } = this.#options.writer
    if (size === undefined) return this.#write(rows)
    this.#throwFailure()
    this.#gathered.push(rows)
    this.#gatheredRows += rows.length
    this.#gatheredBytes += bytesOfSample(rows.values())
    if (this.#gatheredRows < size.rows && this.#gatheredBytes < size.bytes) return
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
  #batchOf(events: readonly unknown[] | Batch): Batch {
    const { isTraced, hasResults, nextResults, tops } = this.#options
    const batch = Array.isArray(events)
      ? isTraced
        ? batchOfTraced(events as readonly Traced<unknown>[])
        : batchOf(events as readonly unknown[])
      : (events as Batch)
    const rows = hasResults ? batchOf(batch.values(), new ResultOrigins(batch, nextResults(batch.length))) : batch
    return tops.isEmpty ? rows : withOwnOrigins(rows)
  }

  #numbered(letter: DeadLetter): DeadLetter {
    const { origin } = letter
    if (isOfRecord(origin)) return letter
    return { ...letter, origin: { ...origin, offset: this.#options.nextResults(1) } }
  }

  /** Rows that wait until there are enough of them. */
  get gathered(): number {
    return this.#gatheredRows
  }

  /** Resolves when nothing is being written any more, however that ended. */
  async idle(): Promise<void> {
    await this.#writing
  }

  #write(rows: Batch): void | Promise<void> {
    const refused = this.#options.writer.write(rows)
    if (isPromise(refused)) return refused.then((later) => this.#written(rows, later))
    return this.#written(rows, refused)
  }

  /** Begins to write what was gathered; the stage goes on meanwhile. */
  #writeGathered(): void {
    this.#throwFailure()
    const rows = joined(this.#gathered)
    this.#gathered = []
    this.#gatheredRows = 0
    this.#gatheredBytes = 0
    const done = this.#write(rows)
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
    if (this.#gatheredRows > 0) this.#writeGathered()
    await this.#writing
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #written(rows: Batch, refused: readonly DeadLetter[]): void | Promise<void> {
    this.#loaded += rows.length - refused.length
    this.written += rows.length - refused.length
    this.refused += refused.length
    this.#options.tops.count(rows, refused)
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

/** Those of a batch, in which events without a record have numbers from `first` on. */
class ResultOrigins implements Origins {
  readonly #batch: Batch
  readonly #first: number

  constructor(batch: Batch, first: number) {
    this.#batch = batch
    this.#first = first
  }

  at(index: number): Origin {
    const origin = this.#batch.origin(index)
    if (origin !== undefined && isOfRecord(origin)) return origin
    return new ResultOrigin(this.#first + index, this.#batch.at(index))
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

  get isEmpty(): boolean {
    return this.#tops.length === 0
  }

  /** @param refused - those of the rows that do not count, by their origins */
  count(rows: Batch, refused: readonly DeadLetter[]): void {
    if (this.isEmpty) return
    const gone = new Set<Origin | undefined>(refused.map(({ origin }) => origin))
    for (const [at, row] of rows.values().entries()) {
      if (gone.size > 0 && gone.has(rows.origin(at))) continue
      for (const { of, counter } of this.#tops) counter.add(topText(of, row))
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

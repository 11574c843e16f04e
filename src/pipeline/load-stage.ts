// The last stage of a pipeline: writes rows, buries dead letters, and commits at every barrier.

import { messageOf } from '../base/errors.ts'
import { isPromise } from '../base/promise.ts'
import type { DeadLetter, Entry, Origin, Traced } from '../connect/origin.ts'
import type { SinkWriter } from '../connect/sink.ts'
import { type Top, TopCounter } from '../observe/top.ts'
import type { ConsumerSpec } from '../stage/hooks.ts'
import type { Epochs } from './epochs.ts'
import type { RejectLimit } from './reject-limit.ts'
import type { RunEvent } from './report.ts'

type AnyEntry = Entry<unknown>
type AnyEvent = Traced<unknown>

export interface LoadStageOptions {
  readonly writer: SinkWriter<unknown>
  readonly epochs: Epochs
  readonly limit: RejectLimit
  readonly top: Readonly<Record<string, (row: never) => string | number | null>>
  readonly onEvent: (event: RunEvent) => void
  /** Called after every batch in which something was rejected. */
  readonly onRejected: () => void
}

/** How many of the commonest values a summary names, and how many are told apart to find them. */
const TOP_NAMED = 5
const TOP_COUNTED = 20_000

/** Hooks of the loading stage: waits only where the writer does. */
export class LoadStage implements ConsumerSpec<AnyEntry> {
  readonly name = 'load'
  readonly #options: LoadStageOptions
  readonly #tops: readonly {
    readonly title: string
    readonly of: (row: never) => string | number | null
    readonly counter: TopCounter
  }[]
  /** Since the last barrier. */
  #loaded = 0
  #dead = 0

  constructor(options: LoadStageOptions) {
    this.#options = options
    this.#tops = Object.entries(options.top).map(([title, of]) => {
      return { title, of, counter: new TopCounter({ size: TOP_COUNTED }) }
    })
  }

  onEvents(entries: readonly AnyEntry[]): void | Promise<void> {
    const events: AnyEvent[] = []
    const letters: DeadLetter[] = []
    for (const entry of entries) {
      if (entry.kind === 'event') events.push(entry)
      else letters.push(entry)
    }
    const refused = events.length === 0 ? [] : this.#options.writer.write(events)
    if (isPromise(refused)) return refused.then((later) => this.#written(events, letters, later))
    return this.#written(events, letters, refused)
  }

  onBarrier(epoch: number): void | Promise<void> {
    const { epochs, writer } = this.#options
    epochs.book(epoch, { loaded: this.#loaded, dead: this.#dead })
    this.#loaded = 0
    this.#dead = 0
    const committing = writer.commit(epochs.checkpoint(epoch))
    if (isPromise(committing)) return committing.then(() => this.#committed(epoch))
    this.#committed(epoch)
  }

  /** The commonest values of the rows loaded so far. */
  top(): Record<string, Top> {
    return Object.fromEntries(this.#tops.map(({ title, counter }) => [title, counter.top(TOP_NAMED)]))
  }

  #written(
    events: readonly AnyEvent[],
    letters: readonly DeadLetter[],
    refused: readonly DeadLetter[],
  ): void | Promise<void> {
    this.#loaded += events.length - refused.length
    this.#count(events, refused)
    const all = refused.length === 0 ? letters : [...letters, ...refused]
    if (all.length === 0) return
    const burying = this.#options.writer.bury(all)
    if (isPromise(burying)) return burying.then(() => this.#buried(all))
    this.#buried(all)
  }

  #buried(letters: readonly DeadLetter[]): void {
    const { limit, onEvent, onRejected } = this.#options
    this.#dead += letters.length
    limit.add(letters)
    for (const letter of letters) onEvent({ kind: 'rejected', letter })
    onRejected()
  }

  #count(events: readonly AnyEvent[], refused: readonly DeadLetter[]): void {
    if (this.#tops.length === 0) return
    const gone = new Set<Origin>(refused.map(({ origin }) => origin))
    for (const { of, counter } of this.#tops) {
      for (const { value, origin } of events) {
        if (!gone.has(origin)) counter.add(topText(of, value))
      }
    }
  }

  #committed(epoch: number): void {
    const { epochs, onEvent } = this.#options
    epochs.committed(epoch)
    onEvent({ kind: 'committed', epoch, totals: epochs.overall })
  }
}

/** What a row counts as in the summary; a function that throws costs its line there, not the load. */
function topText(of: (row: never) => string | number | null, value: unknown): string {
  try {
    return String(of(value as never) ?? '-')
  } catch (error) {
    return `error: ${messageOf(error)}`
  }
}

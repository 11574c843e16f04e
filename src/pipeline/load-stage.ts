// The last stage of a pipeline: writes rows, buries dead letters, and commits at every barrier.

import { messageOf } from '../base/errors.ts'
import { isPromise } from '../base/promise.ts'
import type { Coordinator } from '../checkpoint/coordinator.ts'
import type { Epochs } from '../checkpoint/epochs.ts'
import type { DeadLetter, Origin, Traced } from '../connect/origin.ts'
import type { KeptLetter, SinkWriter } from '../connect/sink.ts'
import { type Top, TopCounter } from '../observe/top.ts'
import type { ConsumerSpec } from '../stage/hooks.ts'
import type { RejectLimit } from './reject-limit.ts'
import type { RunEvent } from './report.ts'

type AnyEvent = Traced<unknown>

export interface LoadStageOptions {
  readonly writer: SinkWriter<unknown>
  readonly epochs: Epochs
  readonly coordinator: Coordinator
  readonly limit: RejectLimit
  /** Gives events their origins, where the flow does not. */
  readonly trace: ((values: readonly unknown[]) => readonly AnyEvent[]) | undefined
  readonly tops: TopCounters
  readonly onEvent: (event: RunEvent) => void
  /** Called after every batch in which something was rejected. */
  readonly onRejected: () => void
  /** Dead letters that are tried again: taken out with the last commit; those that fail again come back. */
  readonly exhumed?: readonly KeptLetter[]
  /** The run's last epoch is committed, and no end will come by itself. */
  readonly onStopped: () => void
}

/** Hooks of the loading stage: waits only where the writer does. */
export class LoadStage implements ConsumerSpec<unknown> {
  readonly name = 'load'
  readonly #options: LoadStageOptions
  /** Since the last barrier. */
  #loaded = 0
  #dead = 0
  /** The epoch that is committed only when all results have come. */
  #last: number | undefined

  constructor(options: LoadStageOptions) {
    this.#options = options
  }

  onEvents(batch: readonly unknown[]): void | Promise<void> {
    const { trace, writer } = this.#options
    const events = trace === undefined ? (batch as readonly AnyEvent[]) : trace(batch)
    const refused = writer.write(events)
    if (isPromise(refused)) return refused.then((later) => this.#written(events, later))
    return this.#written(events, refused)
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
    if (this.#last !== undefined) await this.#commit(this.#last)
  }

  async #commit(epoch: number): Promise<void> {
    const { coordinator, epochs, writer, onEvent } = this.#options
    const { exhumed = [] } = this.#options
    // Before those that fail again are buried: they have the same places.
    if (exhumed.length > 0) await writer.exhume?.(exhumed)
    const letters = coordinator.lettersOf(epoch)
    if (letters.length > 0) await this.#bury(letters)
    epochs.book(epoch, { loaded: this.#loaded, dead: this.#dead - exhumed.length })
    this.#loaded = 0
    this.#dead = 0
    const checkpoint = coordinator.checkpoint(epoch)
    const isOver = coordinator.endOf(epoch) !== 'epoch'
    if (isOver && epochs.isEmpty(epoch) && checkpoint.states.size === 0) return epochs.skipped(epoch)
    await writer.commit(checkpoint)
    coordinator.committed(epoch)
    onEvent({ kind: 'committed', epoch, totals: epochs.overall })
  }

  #written(events: readonly AnyEvent[], refused: readonly DeadLetter[]): void | Promise<void> {
    this.#loaded += events.length - refused.length
    this.#options.tops.count(events, refused)
    if (refused.length > 0) return this.#bury(refused)
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

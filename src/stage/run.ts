// Connected stages, supervised as one: they end together, and nothing of them remains.

import { messageOf } from '../base/errors.ts'
import type { StageCore } from './core.ts'
import type { Ending } from './message.ts'
import type { Stage, StageStats } from './stage.ts'

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  /** Whether stages below a failed one handle its output before they get the error; otherwise all end at once. */
  readonly failsInLine?: boolean
}

/**
 * A running graph of stages.
 *
 * It ends when all of its consumers have ended; the remaining stages are cancelled then. When one stage fails, the
 * others are cancelled, and `done` rejects with the very error that was thrown.
 */
export class Run {
  readonly #layers: readonly (readonly StageCore[])[]
  readonly #stages: readonly StageCore[]
  readonly #failsInLine: boolean
  readonly #finished = Promise.withResolvers<void>()
  readonly #signal: AbortSignal | undefined
  /** The first failure, or the reason of a cancellation from outside. */
  #failure: { readonly error: unknown } | undefined
  /** Whether every stage has ended and is closed. */
  #isOver = false
  /** Whether anybody awaits the outcome. */
  #isWatched = false

  /** @internal made by `connect` */
  constructor(layers: readonly (readonly StageCore[])[], { signal, failsInLine = false }: RunOptions = {}) {
    this.#layers = layers
    this.#stages = layers.flat()
    this.#failsInLine = failsInLine
    this.#signal = signal
    this.#finished.promise.catch(() => {}) // Handled by `done`; a warning is printed below if nobody awaits it.
    void this.#watch()
    if (signal?.aborted === true) this.#abort()
    else signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Resolves when every stage has ended and is closed; rejects with the first failure, or the reason of `cancel`. */
  get done(): Promise<void> {
    this.#isWatched = true
    return this.#finished.promise
  }

  get stages(): readonly Stage[] {
    return this.#stages
  }

  stats(): readonly StageStats[] {
    return this.#stages.map((stage) => stage.stats())
  }

  /** Stops asking the sources, lets everything through, and ends. Resolves and rejects as `done`. */
  drain(): Promise<void> {
    for (const stage of this.#stages) if (!stage.takesEvents) stage.complete()
    return this.done
  }

  /** Ends every stage now; what they hold is lost. Resolves when all are closed. */
  async cancel(reason: unknown = new DOMException('The run was cancelled', 'AbortError')): Promise<void> {
    this.#isWatched = true
    this.#cancelAll(reason)
    await Promise.all(this.#stages.map((stage) => stage.settled))
  }

  /** Drains; throws the error of the run. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain()
  }

  readonly #abort = (): void => this.#cancelAll(this.#signal?.reason)

  #cancelAll(reason: unknown): void {
    if (this.#isOver) return
    for (const stage of this.#stages) stage.giveUp()
    this.#failure ??= { error: reason }
    for (const stage of this.#stages) stage.cancel(reason)
  }

  async #watch(): Promise<void> {
    const consumers = this.#stages.filter((stage) => !stage.givesEvents)
    const endings = this.#stages.map((stage) => {
      stage.watch()
      return stage.settled.then((ending) => this.#ended(stage, ending))
    })
    await Promise.all((consumers.length > 0 ? consumers : this.#stages).map((stage) => stage.settled))
    for (const stage of this.#stages) stage.cancel()
    await Promise.all(endings)
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#abort)
    if (this.#failure === undefined) return this.#finished.resolve()
    this.#finished.reject(this.#failure.error)
    if (!this.#isWatched) {
      process.emitWarning(`A run of stages failed and nobody awaits it: ${messageOf(this.#failure.error)}`)
    }
  }

  #ended(stage: StageCore, ending: Ending): void {
    if (ending.kind !== 'failed') return
    this.#failure ??= { error: ending.error }
    const layer = this.#layers.findIndex((stages) => stages.includes(stage))
    const others = this.#failsInLine ? this.#layers.slice(0, layer + 1).flat() : this.#stages
    for (const other of others) other.cancel(ending.error)
  }
}

// What a signal does to a run: the first drains it, the second stops it at once.

import { countText } from '../observe/text.ts'
import { exitCodeOfSignal, STOP_SIGNALS, type StopSignal } from './exit.ts'

/** How long an aborted run may take to close, in clock milliseconds; after that it is left as after a kill. */
const GRACE_MS = 500

/** A run was stopped on request before it could commit all that it had read. */
export class Stopped extends Error {
  override readonly name: string = 'Stopped'
  readonly exitCode: number

  constructor(signal: StopSignal, why: string) {
    super(why)
    this.exitCode = exitCodeOfSignal(signal)
  }
}

/** What can be stopped: a run, or several of them. */
export interface Stoppable {
  /** Records read by the current run, and committed over all runs; absent if nothing is committed. */
  progress?(): { readonly read: number; readonly committed: { readonly read: number } }
  drain(why: string): Promise<unknown>
}

export interface SignalOptions {
  readonly drainTimeoutMs: number
  readonly say: (message: string) => void
  /** Called when the run was asked to drain, even if it had ended by itself. */
  readonly onDrain: (why: string) => void
  /** Ends the run now. */
  readonly abort: (reason: Stopped) => void
}

/** Listens until `release`; `received` is the first signal that came. */
export class Signals {
  received: StopSignal | undefined
  readonly #options: SignalOptions
  /** Fires at the deadline of the drain, then at the end of the grace. */
  #timer: NodeJS.Timeout | undefined
  /** The run, once it has started; a signal before that ends the start. */
  #run: Stoppable | undefined
  /** What was committed when the run started. */
  #committedBefore = 0
  readonly #stopped = Promise.withResolvers<never>()

  constructor(options: SignalOptions) {
    this.#options = options
    this.#stopped.promise.catch(() => {}) // Handled by whoever awaits `stopped`.
    for (const signal of STOP_SIGNALS) process.on(signal, this.#onSignal)
  }

  /** Rejects once the run is no longer awaited, even if its sink never answers. */
  get stopped(): Promise<never> {
    return this.#stopped.promise
  }

  watch(run: Stoppable): void {
    this.#run = run
    this.#committedBefore = run.progress?.().committed.read ?? 0
  }

  release(): void {
    clearTimeout(this.#timer)
    for (const signal of STOP_SIGNALS) process.off(signal, this.#onSignal)
  }

  readonly #onSignal = (signal: StopSignal): void => {
    const first = this.received
    this.received ??= signal
    if (first !== undefined) {
      const second = signal === 'SIGINT' ? 'second interrupt' : `second signal (${signal})`
      this.#stop(first, `${second}: stopping now`)
    } else if (this.#run === undefined) {
      this.#stop(signal, `stopping: received ${signal} before anything was read`)
    } else {
      this.#drain(signal, this.#run)
    }
  }

  #drain(signal: StopSignal, run: Stoppable): void {
    const { drainTimeoutMs, onDrain } = this.#options
    run.drain(`received ${signal}`).catch(() => {}) // The outcome is reported to whoever awaits the run.
    onDrain(`received ${signal}`)
    this.#timer = setTimeout(() => {
      const limit = `deadline of ${drainTimeoutMs / 1000} s over`
      this.#stop(signal, `${limit}: stopping now${this.#lostBy(run)}`)
    }, drainTimeoutMs)
  }

  #lostBy(run: Stoppable): string {
    const progress = run.progress?.()
    if (progress === undefined) return ''
    const { read, committed } = progress
    return `, ${countText(read - (committed.read - this.#committedBefore))} events not committed`
  }

  #stop(signal: StopSignal, why: string): void {
    this.#options.say(why)
    clearTimeout(this.#timer)
    const reason = new Stopped(signal, why)
    this.#timer = setTimeout(() => this.#stopped.reject(reason), GRACE_MS)
    this.#options.abort(reason)
  }
}

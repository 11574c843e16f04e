// What a signal does to a run: the first drains it, the second stops it at once.

import type { PipelineRun } from '../pipeline/start.ts'
import { STOP_SIGNALS, type StopSignal } from './exit.ts'

export interface SignalOptions {
  readonly drainTimeoutMs: number
  readonly say: (message: string) => void
  /** Ends the run now. */
  readonly abort: (reason: Error) => void
}

/** Listens until `release`; `received` is the first signal that came. */
export class Signals {
  received: StopSignal | undefined
  readonly #options: SignalOptions
  /** Fires at the deadline of the drain. */
  #deadline: NodeJS.Timeout | undefined
  /** The run, once it has started; a signal before that ends the start. */
  #run: PipelineRun | undefined

  constructor(options: SignalOptions) {
    this.#options = options
    for (const signal of STOP_SIGNALS) process.on(signal, this.#onSignal)
  }

  watch(run: PipelineRun): void {
    this.#run = run
  }

  release(): void {
    clearTimeout(this.#deadline)
    for (const signal of STOP_SIGNALS) process.off(signal, this.#onSignal)
  }

  readonly #onSignal = (signal: StopSignal): void => {
    const { say, abort, drainTimeoutMs } = this.#options
    if (this.received !== undefined || this.#run === undefined) {
      const isSecond = this.received !== undefined
      this.received ??= signal
      if (isSecond)
        say(`${isSecond && signal === 'SIGINT' ? 'second interrupt' : `second signal (${signal})`}: stopping now`)
      return abort(new Error(`stopped by ${signal}`))
    }
    this.received = signal
    const run = this.#run
    // The outcome is heard of by who waits for the run.
    run.drain(`received ${signal}`).catch(() => {})
    this.#deadline = setTimeout(() => {
      const { read, committed } = run.progress()
      say(`deadline of ${drainTimeoutMs / 1000} s over: stopping now; read ${read}, committed in all ${committed.read}`)
      abort(new Error(`stopped by ${signal}: the drain took longer than ${drainTimeoutMs / 1000} s`))
    }, drainTimeoutMs)
  }
}

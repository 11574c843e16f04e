// The end of a stage: how it ended, who is notified, and when all of it is closed.

import { inTime } from '../base/closing.ts'
import { messageOf } from '../base/errors.ts'
import { isPromise } from '../base/promise.ts'
import type { Awaitable } from './hooks.ts'
import type { Ending, ToConsumer, ToStage } from './message.ts'

/** Ends once. `settled` resolves last, when `onEnd` has returned. */
export class Lifetime {
  readonly #name: string
  /** Whether a failure is handled. */
  #isWatched = false
  /** Made on first use. */
  #controller: AbortController | undefined
  /** Made on first use. */
  #done: Promise<void> | undefined
  readonly #settled = Promise.withResolvers<Ending>()
  /** Aborted once there is a time limit for closing. */
  readonly #givenUp = new AbortController()
  ending: Ending | undefined

  constructor(name: string) {
    this.#name = name
  }

  get done(): Promise<void> {
    this.watch()
    this.#done ??= this.settled.then((ending) => {
      if (ending.kind === 'failed') throw ending.error
    })
    return this.#done
  }

  /** Like `done`, but never rejects. */
  get settled(): Promise<Ending> {
    return this.#settled.promise
  }

  /** Marks a failure as handled, so that no warning is printed. */
  watch(): void {
    this.#isWatched = true
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.ending !== undefined) this.#controller.abort(reasonOf(this.ending))
    return this.#controller.signal
  }

  /** The end has come; whatever waits on `signal` is notified. */
  end(ending: Ending): void {
    this.ending = ending
    this.#controller?.abort(reasonOf(ending))
  }

  /** Closing has a time limit from here on, however the stage ended. */
  giveUp(): void {
    this.#givenUp.abort()
  }

  /**
   * Runs `onEnd` and settles; an error there is the stage's failure, unless it has one. After cancellation or failure
   * it waits for at most 3 seconds, or `limitMs`.
   */
  close(ending: Ending, onEnd: () => Awaitable<void> | undefined, limitMs: number | undefined): void {
    const failed = (error: unknown) => this.#settle(ending.kind === 'failed' ? ending : { kind: 'failed', error })
    try {
      const closing = onEnd()
      if (!isPromise(closing)) return this.#settle(ending)
      if (ending.kind !== 'completed') this.giveUp()
      inTime(Promise.resolve(closing), this.#givenUp.signal, limitMs).then(() => this.#settle(ending), failed)
    } catch (error) {
      failed(error)
    }
  }

  #settle(ending: Ending): void {
    this.ending = ending
    this.#settled.resolve(ending)
    if (ending.kind !== 'failed' || this.#isWatched) return
    process.emitWarning(`Stage ${this.#name} failed and nobody awaits it: ${messageOf(ending.error)}`)
  }
}

/** The cause of an ending: the error of a failure, the reason of a cancellation. */
export function reasonOf(ending: Ending): unknown {
  if (ending.kind === 'failed') return ending.error
  return ending.kind === 'cancelled' ? ending.reason : undefined
}

/** A message for a stage that has ended: whoever awaits an answer gets one. */
export function refuse(
  message: ToConsumer<unknown> | ToStage,
  { name, ending }: { readonly name: string; readonly ending: Ending | undefined },
): void {
  if (message.kind !== 'message') return
  message.reply?.reject(new Error(`Stage ${name} has ended`, { cause: ending && reasonOf(ending) }))
}

// The end of a stage: how it ended, who hears of it, and when everything of it is closed.

import { inTime } from '../base/closing.ts'
import { messageOf } from '../base/errors.ts'
import { isPromise } from '../base/promise.ts'
import type { Awaitable } from './hooks.ts'
import type { Ending, ToConsumer, ToStage } from './message.ts'

/** Ends once. `settled` resolves last, when `onEnd` has returned. */
export class Lifetime {
  readonly #name: string
  /** Whether somebody will hear of a failure. */
  #isWatched = false
  /** Made when somebody looks at `signal`. */
  #controller: AbortController | undefined
  /** Made when somebody looks at `done`. */
  #done: Promise<void> | undefined
  readonly #settled = Promise.withResolvers<Ending>()
  /** Aborted once its closing is not to be waited for as long as that takes. */
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

  /** Says that somebody will hear of a failure, so that it need not be warned of. */
  watch(): void {
    this.#isWatched = true
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.ending !== undefined) this.#controller.abort(reasonOf(this.ending))
    return this.#controller.signal
  }

  /** The end has come; what waits on `signal` hears of it. */
  end(ending: Ending): void {
    this.ending = ending
    this.#controller?.abort(reasonOf(ending))
  }

  /** What closes has only its limit left, in whatever way the stage ended. */
  giveUp(): void {
    this.#givenUp.abort()
  }

  /**
   * Runs `onEnd` and settles; an error there is the stage's failure, unless it has one. One that was cancelled or failed
   * waits for it for 3 seconds at most, or for `limitMs`.
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
    process.emitWarning(`Stage ${this.#name} failed and nobody waits for it: ${messageOf(ending.error)}`)
  }
}

/** What an ending was for: the error of a failure, the reason of a cancellation. */
export function reasonOf(ending: Ending): unknown {
  if (ending.kind === 'failed') return ending.error
  return ending.kind === 'cancelled' ? ending.reason : undefined
}

/** A message for a stage that has ended: who waits for an answer gets one. */
export function refuse(
  message: ToConsumer<unknown> | ToStage,
  { name, ending }: { readonly name: string; readonly ending: Ending | undefined },
): void {
  if (message.kind !== 'message') return
  message.reply?.reject(new Error(`Stage ${name} has ended`, { cause: ending && reasonOf(ending) }))
}

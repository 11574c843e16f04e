// A process that is cut short: everything that a run does to the outside goes through it.

import type { Clock } from '../base/clock.ts'
import type { PipelineRun } from '../pipeline/start.ts'

/** What cuts a run short, and at which access to its source or sink. A kill leaves everything as it is. */
export interface Cut {
  readonly kind: 'kill' | 'abort' | 'drain' | 'fail'
  readonly at: number
}

/** One process: its accesses count up to its cut; once it is killed, nothing answers any more. */
export class CutProcess {
  readonly #cut: Cut | undefined
  readonly #chance: () => number
  readonly #killed = Promise.withResolvers<'killed'>()
  readonly #abort = new AbortController()
  /** Accesses to the source and the sink so far. */
  #touches = 0
  #isDead = false
  run: PipelineRun | undefined

  constructor(cut: Cut | undefined, chance: () => number) {
    this.#cut = cut
    this.#chance = chance
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get killed(): Promise<'killed'> {
    return this.#killed.promise
  }

  /** Does `work`, at once or later, unless the cut comes before it; a kill may also come right after it. */
  touch<T>(work: () => T): T | Promise<T> {
    if (this.#isDead) return new Promise<T>(() => {})
    this.#touches += 1
    const isCut = this.#cut?.at === this.#touches
    if (isCut && this.#cut?.kind === 'fail') throw new Error('cut')
    if (isCut && this.#cut?.kind === 'kill') {
      if (this.#chance() % 2 === 0) work()
      this.#isDead = true
      this.#killed.resolve('killed')
      return new Promise<T>(() => {})
    }
    if (isCut && this.#cut?.kind === 'abort') this.#abort.abort(new Error('cut'))
    if (isCut && this.#cut?.kind === 'drain') this.run?.drain('cut').catch(() => {}) // Reported by `done`.
    // What is under way when the process is killed is never done.
    const ifAlive = (): T | Promise<T> => (this.#isDead ? new Promise<T>(() => {}) : work())
    switch (this.#chance() % 3) {
      case 0:
        return later(ifAlive)
      case 1:
        return Promise.resolve().then(ifAlive)
      default:
        return work()
    }
  }

  /** Time passes soon, or not while the run lasts. */
  readonly clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    sleep: async (_ms, signal) => {
      // Nothing continues in a process that is dead.
      if (this.#isDead) return await new Promise<never>(() => {})
      const { promise, reject } = Promise.withResolvers<never>()
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      await (this.#chance() % 2 === 0 ? promise : Promise.race([promise, later(() => {})]))
    },
  }
}

export function later<T>(work: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    })
  })
}

// The operators of one stage, one behind the other.

import type { Batch } from '../connect/batch.ts'
import type { Making, Port, Step, StepContext } from './step.ts'

/**
 * Steps in a row, in one stage: what one gives the next one takes, before the call returns. Ends run from the top down,
 * so that what an operator gives at its end goes through those behind it before they end.
 */
export class Chain implements Port, Pick<Step, 'isSuspended' | 'waitsFor'> {
  /** From the first to the last. */
  readonly #steps: readonly Step[]
  readonly #first: Port
  /** The step that is to end next, while they end. */
  #ending: number | undefined
  /** Name → the step that remembers something under it. */
  readonly #kept = new Map<string, Step>()

  constructor(makes: readonly Making[], out: Port, context: StepContext) {
    let next = out
    const steps: Step[] = []
    for (const { id, make } of makes.toReversed()) {
      const step = make(next, context)
      if (id !== undefined) this.#kept.set(id, step)
      steps.unshift(step)
      next = step
    }
    this.#steps = steps
    this.#first = next
  }

  events(batch: Batch): void {
    this.#first.events(batch)
  }

  watermark(time: number): void {
    this.#first.watermark(time)
  }

  inputEnded(input: number): void {
    for (const step of this.#steps) step.inputEnded?.(input)
  }

  /** May be put off like all else: the end has come when it is not suspended any more. */
  end(): void {
    if (this.#steps.length > 0) this.#ending = 0
    this.#endOn()
  }

  /** The earliest time at which a step wants `tick`. */
  get nextTickMs(): number | undefined {
    let next: number | undefined
    for (const { nextTickMs } of this.#steps) {
      if (nextTickMs !== undefined && (next === undefined || nextTickMs < next)) next = nextTickMs
    }
    return next
  }

  tick(nowMs: number): void {
    for (const step of this.#steps) {
      if (step.nextTickMs !== undefined && step.nextTickMs <= nowMs) step.tick?.(nowMs)
    }
  }

  mark(name: string): void {
    for (const step of this.#steps) step.mark?.(name)
  }

  get isSuspended(): boolean {
    return this.#ending !== undefined || this.#suspended !== undefined
  }

  get waitsFor(): Promise<unknown> | undefined {
    return this.#suspended?.waitsFor
  }

  /** Goes on with what the lowest step has put off: those above it wait for that. */
  resume(): void {
    this.#suspended?.resume?.()
    this.#endOn()
  }

  get #suspended(): Step | undefined {
    return this.#steps.findLast((step) => step.isSuspended === true)
  }

  /** Ends one step after the other, each once those below have gone on with what it gave. */
  #endOn(): void {
    while (this.#ending !== undefined && this.#suspended === undefined) {
      const step = this.#steps[this.#ending]
      this.#ending = this.#ending + 1 < this.#steps.length ? this.#ending + 1 : undefined
      step?.end?.()
    }
  }

  drop(): void {
    this.#ending = undefined
    for (const step of this.#steps) step.drop?.()
  }

  /** Sends on what may as well go out now. */
  flush(): void {
    for (const step of this.#steps) step.flush?.()
  }

  /** What its steps remember, by their names. */
  snapshot(): Map<string, unknown> {
    const saved = new Map<string, unknown>()
    for (const [id, step] of this.#kept) {
      const state = step.snapshot?.()
      if (state !== undefined) saved.set(id, state)
    }
    return saved
  }

  /** Goes on from what such chains remembered, in all stages that there were: name → their states. */
  restore(saved: ReadonlyMap<string, readonly unknown[]>): void {
    for (const [id, step] of this.#kept) {
      const states = saved.get(id)
      if (states !== undefined) step.restore?.(states)
    }
  }
}

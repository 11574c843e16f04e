// The operators of one stage, one after the other.

import type { Batch } from '../connect/batch.ts'
import type { Making, Port, Step, StepContext } from './step.ts'

/**
 * Steps in a row, in one stage: the output of one is passed to the next before the call returns. Steps end from first
 * to last, so that what an operator emits at its end passes through those after it before they end.
 */
export class Chain implements Port, Pick<Step, 'isSuspended' | 'waitsFor'> {
  /** From the first to the last. */
  readonly #steps: readonly Step[]
  readonly #first: Port
  /** The step that is to end next, while they are ending. */
  #ending: number | undefined
  /** Name → the step with state under that name. */
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

  /** May be deferred like everything else: the end is complete once nothing is suspended. */
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

  /** Continues the deferred work of the lowest step: those above it wait for that. */
  resume(): void {
    this.#suspended?.resume?.()
    this.#endOn()
  }

  get #suspended(): Step | undefined {
    return this.#steps.findLast((step) => step.isSuspended === true)
  }

  /** Ends one step after the other, each once those below have finished with its output. */
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

  /** Emits what may as well be emitted now. */
  flush(): void {
    for (const step of this.#steps) step.flush?.()
  }

  /** The state of its steps, by name. */
  snapshot(): Map<string, unknown> {
    const saved = new Map<string, unknown>()
    for (const [id, step] of this.#kept) {
      const state = step.snapshot?.()
      if (state !== undefined) saved.set(id, state)
    }
    return saved
  }

  /** Restores the state of such chains, in all stages that there were: name → their states. */
  restore(saved: ReadonlyMap<string, readonly unknown[]>): void {
    for (const [id, step] of this.#kept) {
      const states = saved.get(id)
      if (states !== undefined) step.restore?.(states)
    }
  }
}

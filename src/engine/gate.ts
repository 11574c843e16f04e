// Where stages hold final results, until everything before them has succeeded.

import { untilAborted } from '../base/promise.ts'
import type { Layer, Topology } from '../flow/topology.ts'
import type { StageCore } from '../stage/core.ts'

/**
 * A stage with final results arrives when it has taken all of its inputs, and holds them until every stage of its level
 * has arrived: if one fails before, none are emitted.
 *
 * A level is how many layers with final results lie above: the first is fed by sources alone. Levels pass one after the
 * other, so that none waits for its own input.
 */
export interface Gate {
  /** A stage of the level has taken all of its input. Called once per stage. */
  arrive(level: number): void
  /** Resolves when all stages of the level, and of those before it, have arrived. */
  passed(level: number): Promise<void>
}

/** One stage's way through the gate. */
export class Place {
  readonly #gate: Gate
  readonly #level: number
  /** Whether its final output are results, which wait, and not partial ones for another stage to merge. */
  readonly holds: boolean
  #hasArrived = false

  constructor(gate: Gate, level: number, layer: Layer) {
    this.#gate = gate
    this.#level = level
    this.holds = givesAtEnd(layer)
  }

  /** A stage that ends without results, or because nobody wants more of it, has arrived too. */
  watch(stage: StageCore | undefined): void {
    void stage?.settled.then(({ kind }) => {
      if (kind !== 'failed') this.arrive()
    })
  }

  arrive(): void {
    if (this.#hasArrived) return
    this.#hasArrived = true
    this.#gate.arrive(this.#level)
  }

  /** Resolves when the results may be emitted; rejects if the stage ends first. */
  passed(signal: AbortSignal): Promise<void> {
    return untilAborted(this.#gate.passed(this.#level), signal)
  }
}

/** A gate for stages that are all local. */
export class LocalGate implements Gate {
  /** Level → stages that have not arrived. */
  readonly #missing: number[]
  readonly #passed: readonly PromiseWithResolvers<void>[]
  readonly #onPassed: ((level: number) => void) | undefined
  /** The first level that has not passed. */
  #next = 0

  constructor(topology: Topology, onPassed?: (level: number) => void) {
    this.#onPassed = onPassed
    this.#missing = []
    for (const [layer, level] of levelsOf(topology)) this.#missing[level] = (this.#missing[level] ?? 0) + layer.stages
    this.#passed = this.#missing.map(() => Promise.withResolvers())
  }

  arrive(level: number): void {
    this.#missing[level] = (this.#missing[level] ?? 0) - 1
    for (; this.#missing[this.#next] === 0; this.#next += 1) {
      this.#passed[this.#next]?.resolve()
      this.#onPassed?.(this.#next)
    }
  }

  passed(level: number): Promise<void> {
    return this.#passed[level]?.promise ?? Promise.resolve()
  }
}

/** The gate of one worker: the thread that started it counts. */
export class FarGate implements Gate {
  readonly arrive: (level: number) => void
  readonly #passed = new Map<number, PromiseWithResolvers<void>>()

  constructor(arrive: (level: number) => void) {
    this.arrive = arrive
  }

  pass(level: number): void {
    this.#at(level).resolve()
  }

  passed(level: number): Promise<void> {
    return this.#at(level).promise
  }

  #at(level: number): PromiseWithResolvers<void> {
    const known = this.#passed.get(level) ?? Promise.withResolvers()
    this.#passed.set(level, known)
    return known
  }
}

/** Layer → its level. */
export function levelsOf({ layers }: Topology): ReadonlyMap<Layer, number> {
  const levels = new Map<Layer, number>()
  for (const layer of layers) {
    const above = layer.inputs.map(({ from }) => (levels.get(from) ?? 0) + (givesAtEnd(from) ? 1 : 0))
    levels.set(layer, Math.max(0, ...above))
  }
  return levels
}

function givesAtEnd({ work }: Layer): boolean {
  return work.kind === 'steps' && work.steps.some((step) => step.givesAtEnd === true)
}

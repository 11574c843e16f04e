// Where stages wait with the results of the end, until all that comes before them has gone well.

import { untilAborted } from '../base/promise.ts'
import type { Layer, Topology } from '../flow/topology.ts'
import type { StageCore } from '../stage/core.ts'

/**
 * A stage that gives results at the end arrives when it has taken all of its inputs, and holds them until every stage of
 * its level has: one that fails before keeps all of them from going out.
 *
 * A level is how many layers that give results at the end lie above: the first is fed by sources alone. Levels pass one
 * after the other, so that none waits for what it is to be given itself.
 */
export interface Gate {
  /** A stage of the level has taken all that it will take. Once for each stage. */
  arrive(level: number): void
  /** Resolves when all stages of the level, and of those before it, have arrived. */
  passed(level: number): Promise<void>
}

/** One stage's way through the gate. */
export class Place {
  readonly #gate: Gate
  readonly #level: number
  /** Whether what it gives at the end are results, which wait: not partial ones, for another stage to merge. */
  readonly holds: boolean
  #hasArrived = false

  constructor(gate: Gate, level: number, layer: Layer) {
    this.#gate = gate
    this.#level = level
    this.holds = givesAtEnd(layer)
  }

  /** One that ends without results, or because nobody wants more of it, has arrived too. */
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

  /** Resolves when the results may go out; rejects when the stage ends before. */
  passed(signal: AbortSignal): Promise<void> {
    return untilAborted(this.#gate.passed(this.#level), signal)
  }
}

/** A gate of stages that are all known here. */
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

/** The gate of one worker: who started it counts. */
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

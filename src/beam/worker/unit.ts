// The layers of a stage at work on one group of events: each with a queue before it.

import type { Clock } from '../../base/clock.ts'
import type { Batch } from '../../connect/batch.ts'
import type { DeadLetter } from '../../connect/origin.ts'
import type { RejectionLog } from '../../engine/rejection-log.ts'
import { StageContext } from '../../engine/step-context.ts'
import type { StepCounts } from '../../flow/step.ts'
import type { Layer } from '../../flow/topology.ts'
import type { Crossing, EngineStage } from '../plan/engine-stages.ts'
import { type Part, partOf } from './part.ts'

export interface UnitOptions {
  readonly stage: EngineStage
  /** The layers whose events are rows. */
  readonly last: readonly Layer[]
  /** Which group it is. */
  readonly shard: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly rejections: RejectionLog
  readonly counts: StepCounts
  /** Takes what goes to another stage. */
  readonly send: (crossing: Crossing, batch: Batch) => void
  readonly rows: (batch: Batch) => void
  readonly letters: (letters: readonly DeadLetter[]) => void
}

/** What comes to a layer, until it is worked on. */
type Waiting = { readonly input: number; readonly batch: Batch } | { readonly watermark: number }

/** A layer at work, with what it knows of itself, and what waits for it. */
interface Place {
  readonly layer: Layer
  readonly context: StageContext
  readonly part: Part
  readonly waiting: Waiting[]
}

/** Events go in, and what becomes of them comes out before the call resolves. */
export class Unit {
  readonly #options: UnitOptions
  /** Those above first. */
  readonly #places: readonly Place[]

  constructor(options: UnitOptions) {
    this.#options = options
    this.#places = options.stage.layers.map((layer) => this.#place(layer))
  }

  /** Takes a batch for a layer. */
  async take(layer: Layer, input: number, batch: Batch): Promise<void> {
    if (batch.length === 0) return
    this.#places.find((place) => place.layer === layer)?.waiting.push({ input, batch })
    await this.#work()
  }

  /** All events of the group have come: what is held goes out, from the first layer to the last. */
  async end(): Promise<void> {
    for (const { part } of this.#places) {
      part.end()
      await this.#work()
    }
  }

  /** Nothing more is wanted of it. */
  drop(): void {
    for (const { part } of this.#places) part.drop()
  }

  /** The lowest layer that has something to do goes first: what lies between two layers stays small. */
  async #work(): Promise<void> {
    for (;;) {
      const place = this.#places.findLast(({ part, waiting }) => part.isSuspended || waiting.length > 0)
      if (place === undefined) return this.#tellLetters()
      if (place.part.isSuspended) await place.part.resume()
      else this.#begin(place, place.waiting.shift() as Waiting)
      this.#tellLetters()
    }
  }

  #begin({ part, context }: Place, next: Waiting): void {
    if ('watermark' in next) return part.watermark(next.watermark)
    context.steps.input = next.input
    part.events(next.batch)
  }

  #tellLetters(): void {
    for (const { context } of this.#places) {
      const letters = context.takeLetters()
      if (letters.length > 0) this.#options.letters(letters)
    }
  }

  #place(layer: Layer): Place {
    const { shard, clock, rejections, counts, stage, signal } = this.#options
    const context = new StageContext({
      partition: { index: shard % layer.stages, total: layer.stages },
      inputs: Math.max(1, layer.inputs.length),
      clock,
      rejections,
      counts,
      resumePoint: { isReplay: false },
    })
    const out = this.#outOf(layer, stage)
    return { layer, context, part: partOf({ layer, context, out, clock, signal }), waiting: [] }
  }

  #outOf(layer: Layer, stage: EngineStage): { events(batch: Batch): void; watermark(time: number): void } {
    const { last, send, rows } = this.#options
    const crossings = stage.outputs.filter(({ edge }) => edge.from === layer)
    const within = stage.layers.flatMap((to) =>
      to.inputs.flatMap((edge, input) =>
        edge.from === layer && !crossings.some((crossing) => crossing.edge === edge) ? [{ to, input }] : [],
      ),
    )
    const isLast = last.includes(layer)
    const placeOf = (to: Layer): Place => this.#places.find((place) => place.layer === to) as Place
    return {
      events: (batch) => {
        for (const { to, input } of within) placeOf(to).waiting.push({ input, batch })
        for (const crossing of crossings) send(crossing, batch)
        if (isLast) rows(batch)
      },
      // Of several inputs the slowest would decide: the end of the group does.
      watermark: (time) => {
        for (const { to } of within) if (to.inputs.length === 1) placeOf(to).waiting.push({ watermark: time })
      },
    }
  }
}

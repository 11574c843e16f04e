// The layers of a stage at work on one group of events: a chain of steps for each, with a queue before it.

import type { Clock } from '../../base/clock.ts'
import type { Batch } from '../../connect/batch.ts'
import type { DeadLetter } from '../../connect/origin.ts'
import type { RejectionLog } from '../../engine/rejection-log.ts'
import { StageContext } from '../../engine/step-context.ts'
import { Chain } from '../../flow/chain.ts'
import { fuse } from '../../flow/fuse.ts'
import type { StepCounts } from '../../flow/step.ts'
import { type Layer, stepsOf } from '../../flow/topology.ts'
import type { Crossing, EngineStage } from '../plan/engine-stages.ts'

export interface UnitOptions {
  readonly stage: EngineStage
  /** The layers whose events are rows. */
  readonly last: readonly Layer[]
  /** Which group it is. */
  readonly shard: number
  readonly clock: Clock
  readonly rejections: RejectionLog
  readonly counts: StepCounts
  /** Takes what goes to another stage. */
  readonly send: (crossing: Crossing, batch: Batch) => void
  readonly rows: (batch: Batch) => void
  readonly letters: (letters: readonly DeadLetter[]) => void
}

/** What comes to a layer, until it is worked on. */
type Waiting = { readonly input: number; readonly batch: Batch } | { readonly watermark: number }

/** A layer at work. */
interface Part {
  readonly layer: Layer
  readonly context: StageContext
  readonly chain: Chain
  readonly waiting: Waiting[]
}

/** Events go in, and what becomes of them comes out before the call resolves. */
export class Unit {
  readonly #options: UnitOptions
  /** Those above first. */
  readonly #parts: readonly Part[]

  constructor(options: UnitOptions) {
    this.#options = options
    this.#parts = options.stage.layers.map((layer) => this.#part(layer))
  }

  /** Takes a batch for a layer. */
  async take(layer: Layer, input: number, batch: Batch): Promise<void> {
    if (batch.length === 0) return
    this.#parts.find((part) => part.layer === layer)?.waiting.push({ input, batch })
    await this.#work()
  }

  /** All events of the group have come: what is held goes out, from the first layer to the last. */
  async end(): Promise<void> {
    for (const { chain, layer } of this.#parts) {
      for (let input = 0; input < Math.max(1, layer.inputs.length); input += 1) chain.inputEnded(input)
      chain.end()
      await this.#work()
    }
  }

  /** Nothing more is wanted of it. */
  drop(): void {
    for (const { chain } of this.#parts) chain.drop()
  }

  /** The lowest layer that has something to do goes first: what lies between two layers stays small. */
  async #work(): Promise<void> {
    for (;;) {
      const part = this.#parts.findLast(({ chain, waiting }) => chain.isSuspended || waiting.length > 0)
      if (part === undefined) return this.#tellLetters()
      const { chain } = part
      if (!chain.isSuspended) this.#begin(part, part.waiting.shift() as Waiting)
      else {
        await chain.waitsFor
        chain.resume()
      }
      this.#tellLetters()
    }
  }

  #begin({ chain, context }: Part, next: Waiting): void {
    if ('watermark' in next) return chain.watermark(next.watermark)
    context.steps.input = next.input
    chain.events(next.batch)
  }

  #tellLetters(): void {
    for (const { context } of this.#parts) {
      const letters = context.takeLetters()
      if (letters.length > 0) this.#options.letters(letters)
    }
  }

  #part(layer: Layer): Part {
    const { shard, clock, rejections, counts, stage } = this.#options
    const context = new StageContext({
      partition: { index: shard % layer.stages, total: layer.stages },
      inputs: Math.max(1, layer.inputs.length),
      clock,
      rejections,
      counts,
      resumePoint: { isReplay: false },
    })
    const out = this.#outOf(layer, stage)
    return { layer, context, chain: new Chain(fuse(stepsOf(layer)), out, context.steps), waiting: [] }
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
    const partOf = (to: Layer): Part => this.#parts.find((part) => part.layer === to) as Part
    return {
      events: (batch) => {
        for (const { to, input } of within) partOf(to).waiting.push({ input, batch })
        for (const crossing of crossings) send(crossing, batch)
        if (isLast) rows(batch)
      },
      // Of several inputs the slowest would decide: the end of the group does.
      watermark: (time) => {
        for (const { to } of within) if (to.inputs.length === 1) partOf(to).waiting.push({ watermark: time })
      },
    }
  }
}

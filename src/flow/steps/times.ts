// times: tracks how far event time has advanced, in order with the events.

import { messageOf } from '../../base/errors.ts'
import { fieldsReadBy } from '../../base/field.ts'
import type { Batch } from '../../connect/batch.ts'
import { ColumnBatch } from '../../connect/column-batch.ts'
import { EventTimeError, isTime, timeOf } from '../../window/event-time.ts'
import { floorTo, type Granularity, granularityOf } from '../../window/granularity.ts'
import { WatermarkMaker, WatermarkMerger } from '../../window/watermark.ts'
import type { At, EventTimeWindow } from '../../window/window.ts'
import { give, type MakeStep, type Port, type Step, type StepContext } from '../step.ts'

/** How often silent inputs are checked within the idle time. */
const LOOKS_UNTIL_IDLE = 4

/**
 * Before windows, while the events of each input are still in order: passes events on, and a watermark after the event
 * that advanced it.
 *
 * An event is late here by its own input alone: that does not depend on how fast other inputs are.
 *
 * @param isSole - whether there is one input in total, in all stages
 */
export function times(name: string, spec: EventTimeWindow<never>, isSole: () => boolean): MakeStep {
  return (next, context) => new Times(name, spec as EventTimeWindow<unknown>, isSole(), next, context)
}

class Times implements Step {
  readonly #name: string
  readonly #at: At<unknown>
  readonly #granularity: Granularity
  readonly #inputs: readonly WatermarkMaker[]
  readonly #merger: WatermarkMerger<number>
  readonly #next: Port
  readonly #context: StepContext
  readonly #idleAfterMs: number | undefined
  readonly #futureLimitMs: number
  /** The last time at which all windows of an event have closed, by the input's own watermark. */
  readonly #isLate: (timeMs: number, watermarkMs: number) => boolean
  /** Inputs that have not ended. */
  #open: number
  /** When silent inputs are checked next. */
  #lookMs: number | undefined

  constructor(name: string, spec: EventTimeWindow<unknown>, isSole: boolean, next: Port, context: StepContext) {
    this.#name = name
    this.#at = spec.at
    this.#granularity = granularityOf(spec)
    this.#isLate = lateness(spec, isSole)
    this.#idleAfterMs = spec.idleAfterMs
    this.#futureLimitMs = spec.futureLimitMs
    this.#merger = new WatermarkMerger({ idleAfterMs: spec.idleAfterMs })
    this.#inputs = Array.from({ length: context.inputs }, () => new WatermarkMaker(spec))
    for (const input of this.#inputs.keys()) this.#merger.join(input, context.nowMs())
    this.#open = context.inputs
    this.#next = next
    this.#context = context
    this.#lookAgain()
  }

  events(batch: Batch): void {
    const { input } = this.#context
    const maker = this.#inputs[input]
    if (maker === undefined) return give(this.#next, batch)
    const wallMs = this.#context.wallMs()
    let latestMs = Number.NEGATIVE_INFINITY
    let ownMs = floorTo(this.#granularity, maker.current)
    const times = batch instanceof ColumnBatch && batch.isByField ? timesOf(this.#at, batch) : undefined
    const values = times === undefined ? batch.values() : undefined
    let kept: number[] | undefined
    let from = 0
    for (let i = 0; i < batch.length; i += 1) {
      const timeMs = times === undefined ? this.#timeOf(values?.[i], batch, i) : (times[i] as number)
      if (timeMs === undefined || this.#isLate(timeMs, ownMs)) {
        if (timeMs !== undefined) this.#context.late(this.#name, batch, i)
        kept ??= []
        for (; from < i; from += 1) kept.push(from)
        from = i + 1
        continue
      }
      if (timeMs <= latestMs) continue
      const before = maker.ignored
      const nowMs = floorTo(this.#granularity, maker.observe(timeMs, wallMs))
      if (maker.ignored > before) {
        this.#context.ahead(this.#name, timeMs, this.#futureLimitMs)
        continue
      }
      latestMs = timeMs
      if (nowMs === ownMs) continue
      ownMs = nowMs
      const watermark = this.#merger.advance(input, nowMs)
      if (watermark === undefined) continue
      this.#send(batch, kept, from, i + 1)
      kept = undefined
      from = i + 1
      this.#next.watermark(watermark)
    }
    if (this.#idleAfterMs !== undefined) this.#merger.seen(input, this.#context.nowMs())
    this.#send(batch, kept, from, batch.length)
  }

  /** The watermark from above was about other times. */
  watermark(): void {}

  inputEnded(input: number): void {
    this.#open -= 1
    // The end of the last input is the end of all: open windows then fire as at the end.
    if (this.#open > 0) this.#pass(this.#merger.leave(input))
  }

  snapshot(): (number | null)[] {
    return this.#inputs.map((maker) => maker.snapshot())
  }

  /**
   * Inputs may be different now, or have other parts of the source: unless there is only one, all start at the time
   * that none of them had passed.
   */
  restore(saved: readonly unknown[]): void {
    const times = saved.flat() as (number | null)[]
    const leastMs = times.reduce((least, time) => (least === null || time === null ? null : Math.min(least, time)))
    for (const [input, maker] of this.#inputs.entries()) {
      maker.restore(leastMs)
      const ownMs = floorTo(this.#granularity, maker.current)
      if (Number.isFinite(ownMs)) this.#merger.advance(input, ownMs)
    }
  }

  get nextTickMs(): number | undefined {
    return this.#lookMs
  }

  tick(nowMs: number): void {
    this.#lookAgain()
    this.#pass(this.#merger.tick(nowMs))
  }

  #lookAgain(): void {
    if (this.#idleAfterMs === undefined || this.#open < 2) this.#lookMs = undefined
    else this.#lookMs = this.#context.nowMs() + this.#idleAfterMs / LOOKS_UNTIL_IDLE
  }

  #pass(watermark: number | undefined): void {
    if (watermark !== undefined && Number.isFinite(watermark)) this.#next.watermark(watermark)
  }

  #send(batch: Batch, kept: number[] | undefined, from: number, to: number): void {
    if (kept === undefined) return give(this.#next, batch.slice(from, to))
    for (let i = from; i < to; i += 1) kept.push(i)
    give(this.#next, batch.select(kept))
  }

  #timeOf(event: unknown, batch: Batch, index: number): number | undefined {
    try {
      return timeOf(this.#at, event)
    } catch (error) {
      if (!(error instanceof EventTimeError) && this.#context.onError === 'fail') throw error
      this.#context.dead(this.#name, batch, index, messageOf(error))
      return undefined
    }
  }
}

/**
 * Whether all windows that an event can be in have closed. For sessions of one input, only the step that holds them
 * knows; with several inputs, an event is as late as the session that it makes by itself.
 */
function lateness(spec: EventTimeWindow<unknown>, isSole: boolean): (timeMs: number, watermarkMs: number) => boolean {
  if (spec.kind === 'session') {
    if (isSole) return () => false
    const aloneMs = spec.gapMs + spec.allowedLatenessMs
    return (timeMs, watermarkMs) => timeMs + aloneMs <= watermarkMs
  }
  const { sizeMs, offsetMs, allowedLatenessMs } = spec
  const everyMs = spec.kind === 'sliding' ? spec.everyMs : sizeMs
  return (timeMs, watermarkMs) => {
    if (timeMs >= watermarkMs) return false
    const lastEndMs = Math.floor((timeMs - offsetMs) / everyMs) * everyMs + offsetMs + sizeMs
    return lastEndMs + allowedLatenessMs <= watermarkMs
  }
}

/** The times of events, if they are numbers of one field, and all of them are times. */
export function timesOf(at: (event: never) => unknown, batch: ColumnBatch<unknown>): Float64Array | undefined {
  const [name, ...others] = fieldsReadBy(at) ?? []
  const vector = name === undefined || others.length > 0 ? undefined : batch.field(name)?.vector()
  if (vector?.kind !== 'numbers' || vector.nulls?.includes(1) === true) return undefined
  return vector.values.every(isTime) ? vector.values : undefined
}

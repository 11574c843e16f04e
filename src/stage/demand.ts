// The demand rule: when a consumer asks, for how much, and in what slices it handles what came.

import { checkInteger } from '../base/check.ts'

/** The two numbers that control a subscription's demand. */
export interface DemandWindow {
  /** The most events asked for and not yet handled: an integer, 1 or more. */
  readonly maxDemand: number
  /** Asks again once no more than this many are pending: an integer, 0 to `maxDemand - 1`. */
  readonly minDemand: number
}

export const DEFAULT_MAX_DEMAND = 1000

/**
 * A window from options: by default 1000, and half of it.
 *
 * @throws {RangeError} if the numbers are invalid
 * @example
 * demandWindow({}) // => { maxDemand: 1000, minDemand: 500 }
 * demandWindow({ maxDemand: 1 }) // => { maxDemand: 1, minDemand: 0 }
 */
export function demandWindow(options: Partial<DemandWindow>): DemandWindow {
  const { maxDemand = DEFAULT_MAX_DEMAND } = options
  checkInteger('maxDemand', maxDemand, 1)
  const { minDemand = Math.floor(maxDemand / 2) } = options
  checkInteger('minDemand', minDemand, 0, maxDemand - 1)
  return { maxDemand, minDemand }
}

/** The most events that one call of a handler gets. */
export function sliceSize(window: DemandWindow): number {
  return window.maxDemand - window.minDemand
}

/** How much to ask for with `pending` events still asked for and not yet handled; 0 is no ask. */
export function askAt(pending: number, window: DemandWindow): number {
  return pending <= window.minDemand ? window.maxDemand - pending : 0
}

/**
 * What happens to a chunk of `arriving` events: the slices it is handled in, and the ask after each.
 *
 * An ask is sent after a slice was handled, never when it arrives. Events beyond what was asked are handled and not
 * counted.
 *
 * @example
 * demandPlan(10, { maxDemand: 10, minDemand: 5 }, 3)
 * // => { slices: [{ events: 3, ask: 0 }], pending: 7 }
 * @see GenStage, lib/gen_stage.ex: split_batches, whose arithmetic this is
 */
export function demandPlan(pending: number, window: DemandWindow, arriving: number): DemandPlan {
  const slices: { events: number; ask: number }[] = []
  let counted = Math.min(arriving, pending)
  let left = pending
  for (let rest = arriving; rest > 0; ) {
    const events = Math.min(rest, sliceSize(window))
    rest -= events
    const settled = Math.min(events, counted)
    counted -= settled
    left -= settled
    const ask = askAt(left, window)
    left += ask
    slices.push({ events, ask })
  }
  return { slices, pending: left }
}

export interface DemandPlan {
  readonly slices: readonly { readonly events: number; readonly ask: number }[]
  readonly pending: number
}

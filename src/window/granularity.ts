// The granularity at which watermarks matter: the steps in which windows can see that time has passed.

import type { EventTimeWindow } from './window.ts'

/** Sessions can end at any time: they are checked this many times per gap. */
const LOOKS_IN_A_GAP = 8

/** Times from `offsetMs` on, `ms` apart. */
export interface Granularity {
  readonly ms: number
  readonly offsetMs: number
}

/**
 * The grid of the ends of windows, with their early firings and closings. A watermark that advances in its steps fires
 * every window at the same event as an exact one; sessions close up to an eighth of their gap later. As it depends on
 * event time alone, it is the same however events are cut into batches.
 *
 * @example
 * granularityOf(tumbling('1m', (event: { at: number }) => event.at, { allowedLateness: '90s' })) // => { ms: 30000, offsetMs: 0 }
 */
export function granularityOf<T>(spec: EventTimeWindow<T>): Granularity {
  const early = spec.triggers.find((trigger) => trigger.kind === 'early')?.ms ?? 0
  const steps = spec.kind === 'session' ? [Math.floor(spec.gapMs / LOOKS_IN_A_GAP)] : [spec.sizeMs]
  if (spec.kind === 'sliding') steps.push(spec.everyMs)
  const ms = [...steps, spec.allowedLatenessMs, early].reduce(greatestCommonDivisor)
  return { ms: Number.isInteger(ms) && ms > 0 ? ms : 1, offsetMs: spec.kind === 'session' ? 0 : spec.offsetMs }
}

/** The last step of the grid at or before a time. */
export function floorTo({ ms, offsetMs }: Granularity, timeMs: number): number {
  return Math.floor((timeMs - offsetMs) / ms) * ms + offsetMs
}

function greatestCommonDivisor(a: number, b: number): number {
  if (!(Number.isInteger(a) && Number.isInteger(b))) return 1
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

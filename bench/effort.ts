// How much is measured: small inputs once, the usual ones, or those and five times as much.

export interface Effort {
  /** A tenth of the input, once. */
  readonly quick: boolean
  /** Five times the input, too. */
  readonly large: boolean
  /** One run instead of the median of three. */
  readonly once: boolean
}

/** By what the usual amount is multiplied, table by table. */
export function scalesOf({ quick, large }: Effort): readonly number[] {
  if (quick) return [0.1]
  return large ? [1, 5] : [1]
}

/** Counted runs of each contestant: one where a run is long, and what the machine does meanwhile evens out. */
export function runsOf({ quick, once }: Effort, scale = 1): number {
  return quick || once || scale > 1 ? 1 : 3
}

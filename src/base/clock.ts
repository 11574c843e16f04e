// The only place that reads a clock. Machines take time as a parameter; what runs them takes a Clock.

/** Time as the rest of the house sees it. */
export interface Clock {
  /** Milliseconds that never jump: for waits, rates and deadlines. */
  nowMs(): number
  /** Epoch milliseconds, UTC: for what is written down. */
  wallMs(): number
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
}

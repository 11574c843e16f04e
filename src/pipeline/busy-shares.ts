// What share of the last seconds stages were at work, and which layer is the bottleneck. Time is a parameter.

/** How far back shares reach, and how close samples lie, in clock milliseconds. */
const WINDOW_MS = 5000
const SAMPLE_MS = 250
/** From here on a thread counts as busy nearly all the time. */
const NEARLY_ALL = 0.8

/** Layer by layer, stage by stage. */
type PerStage = readonly (readonly number[])[]

interface Sample {
  readonly atMs: number
  readonly busyMs: PerStage
}

/**
 * Shares of time, computed from the stages' busy times on request.
 *
 * @example
 * const shares = new BusyShares(0)
 * shares.update([[500, 250]], 1000) // => [[0.5, 0.25]]
 */
export class BusyShares {
  /** Oldest first; the first one is where the window begins. */
  readonly #samples: Sample[]

  constructor(nowMs: number) {
    this.#samples = [{ atMs: nowMs, busyMs: [] }]
  }

  /** @param busyMs - how long each stage was at work since it began */
  update(busyMs: PerStage, nowMs: number): PerStage {
    const samples = this.#samples
    while ((samples[1]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) samples.shift()
    const [oldest] = samples
    const newest = samples.at(-1)
    if (newest === undefined || nowMs - newest.atMs >= SAMPLE_MS) samples.push({ atMs: nowMs, busyMs })
    const passedMs = nowMs - (oldest?.atMs ?? nowMs)
    return busyMs.map((stages, layer) =>
      stages.map((ms, stage) => shareOf(ms - (oldest?.busyMs[layer]?.[stage] ?? 0), passedMs)),
    )
  }
}

function shareOf(busyMs: number, passedMs: number): number {
  return passedMs <= 0 ? 0 : Math.min(1, Math.max(0, busyMs / passedMs))
}

export function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/**
 * The index of the bottleneck layer: the busiest of those whose threads are busy nearly all the time.
 *
 * @param threadOf - which thread has a stage: what stages of one thread do, they do one after the other
 * @example
 * bottleneckOf([[0.3], [0.6], [0.1]], () => 0) // => 1
 * bottleneckOf([[0.3], [0.6], [0.1]], (layer) => layer) // => undefined
 */
export function bottleneckOf(shares: PerStage, threadOf: (layer: number, stage: number) => number): number | undefined {
  const ofThread = new Map<number, number>()
  for (const [layer, stages] of shares.entries()) {
    for (const [stage, share] of stages.entries()) {
      const thread = threadOf(layer, stage)
      ofThread.set(thread, (ofThread.get(thread) ?? 0) + share)
    }
  }
  let found: number | undefined
  for (const [layer, stages] of shares.entries()) {
    const taken = average(stages.map((_, stage) => Math.min(1, ofThread.get(threadOf(layer, stage)) ?? 0)))
    if (taken < NEARLY_ALL) continue
    if (found === undefined || average(stages) > average(shares[found] ?? [])) found = layer
  }
  return found
}

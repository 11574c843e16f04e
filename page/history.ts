// What a series of snapshots shows: rates of the last seconds, and charts of the last minutes.

import type { LayerFigures, RunSnapshot, StageFigures } from '../src/pipeline/snapshot.ts'

/** One moment of the charts. Rates are per second; unknown values are null. */
export interface Moment {
  readonly atMs: number
  readonly read: number | null
  readonly loaded: number | null
  readonly dead: number | null
  /** How long the last commit took, and how far event time lags behind, in milliseconds. */
  readonly commitTookMs: number | null
  readonly lagMs: number | null
}

export interface StageRates {
  readonly stage: number
  /** Events per second received and emitted; undefined until there are two snapshots. */
  readonly inRate: number | undefined
  readonly outRate: number | undefined
  readonly busyShare: number | undefined
}

export interface LayerRates {
  readonly inRate: number | undefined
  readonly outRate: number | undefined
  readonly stages: readonly StageRates[]
}

/** Rates cover about the last five seconds; charts cover ten minutes at one snapshot per second. */
const RATE_MS = 5000
const MOST_MOMENTS = 600

/** The history of one pipeline's runs, while the page is open. */
export class History {
  /** Snapshots of the same attempt, oldest first, for rates. */
  #recent: RunSnapshot[] = []
  #moments: Moment[] = []

  get moments(): readonly Moment[] {
    return this.#moments
  }

  get last(): RunSnapshot | undefined {
    return this.#recent.at(-1)
  }

  push(snapshot: RunSnapshot): void {
    const before = this.last
    if (before !== undefined && snapshot.atMs <= before.atMs && before.startedMs === snapshot.startedMs) return
    if (before !== undefined && !isSameAttempt(before, snapshot)) this.#recent = []
    this.#recent.push(snapshot)
    while (this.#recent.length > 2 && snapshot.atMs - (this.#recent[1]?.atMs ?? 0) >= RATE_MS) this.#recent.shift()
    this.#moments.push(this.#momentOf(snapshot))
    if (this.#moments.length > MOST_MOMENTS) this.#moments.shift()
  }

  /** Records read per second. */
  get readRate(): number | undefined {
    return this.#rate(({ read }) => read)
  }

  /** Rows committed per second. */
  get loadedRate(): number | undefined {
    return this.#rate(({ overall }) => overall.loaded)
  }

  layer(number: number): LayerRates {
    const layer = layerOf(this.last, number)
    const stages = (layer?.stages ?? []).map(({ stage }) => {
      const rate = (of: (figures: StageFigures) => number): number | undefined =>
        this.#rate((snapshot) => {
          const stages = layerOf(snapshot, number)?.stages
          const figures = stages?.[stage]?.stage === stage ? stages[stage] : stages?.find((one) => one.stage === stage)
          return figures === undefined ? undefined : of(figures)
        })
      const busyMs = rate(({ busyMs }) => busyMs)
      return {
        stage,
        inRate: rate(({ received }) => received),
        outRate: rate(({ emitted }) => emitted),
        busyShare: busyMs === undefined ? undefined : Math.min(1, busyMs / 1000),
      }
    })
    return { inRate: sum(stages.map((one) => one.inRate)), outRate: sum(stages.map((one) => one.outRate)), stages }
  }

  #momentOf(snapshot: RunSnapshot): Moment {
    return {
      atMs: snapshot.atMs,
      read: this.#rate(({ read }) => read) ?? null,
      loaded: this.#rate(({ overall }) => overall.loaded) ?? null,
      dead: this.#rate(({ overall }) => overall.dead) ?? null,
      commitTookMs: snapshot.commitTookMs ?? null,
      lagMs: lagOf(snapshot) ?? null,
    }
  }

  /** A count's growth per second. A count that went down belongs to another attempt: its rate is unknown yet. */
  #rate(of: (snapshot: RunSnapshot) => number | undefined): number | undefined {
    const [first, last] = [this.#recent[0], this.last]
    if (first === undefined || last === undefined || first === last) return undefined
    const [from, to] = [of(first), of(last)]
    if (from === undefined || to === undefined || to < from) return undefined
    return ((to - from) * 1000) / (last.atMs - first.atMs)
  }
}

/** How far event time lags behind at the end of the run, in milliseconds; undefined without a watermark. */
export function lagOf({ layers, atMs }: RunSnapshot): number | undefined {
  for (const { stages } of [...layers].reverse()) {
    const marks = stages.flatMap(({ watermarkMs }) => (watermarkMs === undefined ? [] : [watermarkMs]))
    const lowest = Math.min(...marks)
    if (marks.length > 0) return Number.isFinite(lowest) && lowest > 0 ? Math.max(0, atMs - lowest) : undefined
  }
  return undefined
}

/** The bottleneck, as the snapshot names it. */
export function bottleneckOf(snapshot: RunSnapshot): LayerFigures | undefined {
  return snapshot.bottleneck === undefined ? undefined : layerOf(snapshot, snapshot.bottleneck)
}

function isSameAttempt(one: RunSnapshot, other: RunSnapshot): boolean {
  return one.startedMs === other.startedMs && one.restarts === other.restarts
}

function layerOf(snapshot: RunSnapshot | undefined, number: number): LayerFigures | undefined {
  return snapshot?.layers.find((layer) => layer.number === number)
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0)
}

// The copies that share a pipeline, as its store shows them: their total, each of them, and those that never started.

import { type Clock, systemClock } from '../../base/clock.ts'
import { countText, many } from '../../observe/text.ts'
import type { RunSnapshot } from '../../pipeline/snapshot.ts'
import { isListOf, isNumber, isText, recordOf } from './foreign-runs.ts'

/** What the store of a pipeline says of its copies: part of `/api/checkpoints`. */
export interface SharedPipeline {
  readonly pipeline: string
  readonly totals: Loaded
  /** The first of them, all of which are so many, and so many of all never started. */
  readonly shards: readonly SharedBy[]
  readonly allShards: number
  readonly missingShards: number
}

interface Loaded {
  readonly loaded: number
  readonly dead: number
}

interface SharedBy {
  readonly shard: string
  readonly totals: Loaded
  readonly holder?: string
  readonly isMissing: boolean
}

/** Runs at one moment, and what is known of the copies of their pipelines. */
export interface Seen {
  readonly runs: readonly RunSnapshot[]
  readonly shared: readonly SharedPipeline[]
}

/** Between two questions to a store, in clock milliseconds. */
const EVERY_MS = 5000
/** Copies of one pipeline that are shown. */
const SHOWN = 20
/** A genuine dashboard never has this many. */
const MOST = 1000

export const MISSING = 'missing, it never started'

export function heldText(holder: string | undefined): string {
  return holder === undefined ? 'no run holds it' : `held by ${holder}`
}

/**
 * Looks at runs, and every few seconds at the stores of those that are one of several copies.
 *
 * @param askStores - gives the contents of `/api/checkpoints`
 */
export function withShared(
  askRuns: (signal: AbortSignal) => Promise<readonly RunSnapshot[]>,
  askStores: (signal: AbortSignal) => Promise<unknown>,
  clock: Clock = systemClock,
): (signal: AbortSignal) => Promise<Seen> {
  let shared: readonly SharedPipeline[] | undefined
  let askedMs = Number.NEGATIVE_INFINITY
  const ask = async (signal: AbortSignal): Promise<void> => {
    try {
      shared = sharedOf(await askStores(signal)) ?? shared
    } catch {
      // The runs are shown all the same, with what was known.
    }
  }
  return async (signal) => {
    const runs = await askRuns(signal)
    if (runs.some(({ shard }) => shard !== undefined) && clock.nowMs() - askedMs >= EVERY_MS) {
      askedMs = clock.nowMs()
      const asked = ask(signal)
      if (shared === undefined) await asked
    }
    return { runs, shared: shared ?? [] }
  }
}

/** The pipelines with copies among `/api/checkpoints`; undefined if it is something else. */
export function sharedOf(answer: unknown): readonly SharedPipeline[] | undefined {
  const { checkpoints } = recordOf(answer)
  if (!isListOf(checkpoints, MOST, (one): one is unknown => one !== undefined)) return undefined
  return checkpoints.filter(isShared)
}

function isShared(value: unknown): value is SharedPipeline {
  const { pipeline, totals, shards, allShards, missingShards } = recordOf(value)
  return (
    isText(pipeline) &&
    isLoaded(totals) &&
    isListOf(shards, MOST, isSharedBy) &&
    [allShards, missingShards].every(isNumber)
  )
}

function isSharedBy(value: unknown): value is SharedBy {
  const { shard, totals, holder, isMissing } = recordOf(value)
  return isText(shard) && isLoaded(totals) && (holder === undefined || isText(holder)) && typeof isMissing === 'boolean'
}

function isLoaded(value: unknown): value is Loaded {
  const { loaded, dead } = recordOf(value)
  return [loaded, dead].every(isNumber)
}

/** The lines of a pipeline's copies. */
export function sharedLines({ totals, shards, allShards, missingShards }: SharedPipeline): string[] {
  const missing = missingShards === 0 ? '' : ` (${countText(missingShards)} missing)`
  return [
    `${many(allShards, 'shard')}${missing}  ${loadedText(totals)}`,
    ...shards.slice(0, SHOWN).map(({ shard, totals, holder, isMissing }) => {
      return `  ${shard}  ${isMissing ? MISSING : `${loadedText(totals)}  ${heldText(holder)}`}`
    }),
    ...(allShards > SHOWN ? [`  and ${countText(allShards - SHOWN)} more: see sluice checkpoints`] : []),
  ]
}

function loadedText({ loaded, dead }: Loaded): string {
  return `loaded ${countText(loaded)}  dead ${countText(dead)}`
}

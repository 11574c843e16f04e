// One of several copies of a pipeline that share its splits.

import { stableHash } from '../base/hash.ts'
import type { SharedNames, Split } from './source.ts'

/** `2/8` is the third of eight copies; `0/1` is one that has all splits. */
export interface Shard {
  readonly index: number
  readonly count: number
}

export const WHOLE: Shard = { index: 0, count: 1 }

/** The most copies of one pipeline. */
export const MOST_SHARDS = 10_000

/** A shard as it is stored and displayed: `2/8`. */
export function shardText({ index, count }: Shard): string {
  return `${index}/${count}`
}

/** Parses a shard; undefined if the text is not one. */
export function readShard(text: string): Shard | undefined {
  const [, index, count] = /^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []
  const shard = { index: Number(index), count: Number(count) }
  return shard.index < shard.count && shard.count <= MOST_SHARDS ? shard : undefined
}

export function isShard(value: unknown): value is Shard {
  const { index, count } = (value ?? {}) as Partial<Shard>
  return readShard(`${index}/${count}`) !== undefined
}

/** Whether a split belongs to a shard: by a hash of its name, the same on every machine. */
export function isOfShard(name: string, { index, count }: Shard): boolean {
  return ownerOf(name, count).index === index
}

/** Those of a source's splits that belong to a shard. */
export function splitsOf(shard: Shard, splits: readonly Split[], shared: SharedNames | undefined): readonly Split[] {
  return splits.filter(({ id }) => isOfShard(shared?.nameOf(id) ?? id, shard))
}

/** Which of this many shards a split belongs to. */
export function ownerOf(name: string, count: number): Shard {
  return { index: stableHash(name) % count, count }
}

/** The name for a shard in a sink that does not support shards: `load.2-of-8`. */
export function shardName(pipeline: string, { index, count }: Shard): string {
  return count === 1 ? pipeline : `${pipeline}.${index}-of-${count}`
}

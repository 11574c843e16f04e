// One of several copies of a pipeline that share its splits.

/** `2/8` is the third of eight copies; `0/1` is one that has all splits. */
export interface Shard {
  readonly index: number
  readonly count: number
}

export const WHOLE: Shard = { index: 0, count: 1 }

/** A shard as it is kept and shown: `2/8`. */
export function shardText({ index, count }: Shard): string {
  return `${index}/${count}`
}

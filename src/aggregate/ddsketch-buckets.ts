// Counts in numbered buckets, without gaps, up to a maximum number.

/** `counts[i]` belongs to bucket `low + i`; the last one is never 0. */
export interface Buckets {
  low: number
  counts: number[]
}

/** Empty buckets added below when a lower one is needed: most likely the next value is near. */
const SPARE = 32

export function emptyBuckets(): Buckets {
  return { low: 0, counts: [] }
}

/**
 * Counts into a bucket. At most `limit` buckets are kept, the highest ones: lower values are counted in the lowest of
 * these. So the buckets depend on what was counted, and never on its order.
 */
export function addToBucket(buckets: Buckets, index: number, count: number, limit: number): void {
  const { low, counts } = buckets
  const at = index - low
  if (at >= 0 && at < counts.length) counts[at] = (counts[at] as number) + count
  else if (counts.length === 0) {
    buckets.low = index
    counts.push(count)
  } else if (at < 0) addBelow(buckets, index, count, limit)
  else addAbove(buckets, index, count, limit)
}

export function mergeBuckets(into: Buckets, other: Buckets, limit: number): void {
  for (let i = other.counts.length - 1; i >= 0; i -= 1) {
    const count = other.counts[i] as number
    if (count > 0) addToBucket(into, other.low + i, count, limit)
  }
}

function addBelow(buckets: Buckets, index: number, count: number, limit: number): void {
  const lowest = buckets.low + buckets.counts.length - limit
  const low = Math.max(index - SPARE, lowest)
  const spare = new Array<number>(buckets.low - low).fill(0)
  buckets.counts = [...spare, ...buckets.counts]
  buckets.low = low
  const at = Math.max(index - low, 0)
  buckets.counts[at] = (buckets.counts[at] as number) + count
}

function addAbove(buckets: Buckets, index: number, count: number, limit: number): void {
  const lowest = index - limit + 1
  if (lowest > buckets.low) {
    const { counts } = buckets
    const gone = counts.splice(0, lowest - buckets.low)
    const down = gone.reduce((sum, one) => sum + one, 0)
    if (counts.length === 0) counts.push(0)
    counts[0] = (counts[0] as number) + down
    buckets.low = lowest
  }
  while (buckets.low + buckets.counts.length < index) buckets.counts.push(0)
  if (index === buckets.low) buckets.counts[0] = (buckets.counts[0] as number) + count
  else buckets.counts.push(count)
}

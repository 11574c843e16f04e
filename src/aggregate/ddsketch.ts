// A distribution of numbers within a relative error: a histogram whose buckets grow with the numbers.

import { addToBucket, type Buckets, emptyBuckets, mergeBuckets } from './ddsketch-buckets.ts'

/** How wide buckets are, and how many there may be. */
export interface Scale {
  /** The number of a bucket is its logarithm, times this. */
  readonly perLog: number
  /** The middle of bucket 0, with the same relative error to both ends. */
  readonly middle: number
  /** The most buckets, of positive and of negative numbers each. */
  readonly limit: number
}

/**
 * Counts of numbers by magnitude. While there are few, the numbers themselves.
 *
 * A state depends only on what was counted: however numbers are split and merged, the sketch is the same.
 *
 * @see Masson, Rim and Lee, DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees (2019)
 */
export interface DDSketch {
  /** All numbers, in order of arrival, while there are at most {@link FEW}. */
  few: number[] | undefined
  count: number
  /** Of finite numbers. */
  min: number
  max: number
  zeros: number
  /** How many were -Infinity and Infinity. */
  below: number
  above: number
  readonly positive: Buckets
  /** By magnitude. */
  readonly negative: Buckets
}

export const FEW = 64

export function scaleOf({ error, buckets }: { readonly error: number; readonly buckets: number }): Scale {
  const growth = (1 + error) / (1 - error)
  return { perLog: 1 / Math.log(growth), middle: 2 / (growth + 1), limit: buckets }
}

export function emptyDDSketch(): DDSketch {
  const sides = { positive: emptyBuckets(), negative: emptyBuckets() }
  return { few: [], count: 0, min: Infinity, max: -Infinity, zeros: 0, below: 0, above: 0, ...sides }
}

/** Adds a number that is not NaN. */
export function addToDDSketch(sketch: DDSketch, value: number, scale: Scale): void {
  if (sketch.few === undefined) place(sketch, value, scale)
  else {
    sketch.few.push(value)
    if (sketch.few.length > FEW) spread(sketch, scale)
  }
}

export function mergeDDSketch(into: DDSketch, other: DDSketch, scale: Scale): void {
  if (other.few !== undefined) {
    for (const value of other.few) addToDDSketch(into, value, scale)
    return
  }
  if (into.few !== undefined) spread(into, scale)
  into.count += other.count
  into.min = Math.min(into.min, other.min)
  into.max = Math.max(into.max, other.max)
  into.zeros += other.zeros
  into.below += other.below
  into.above += other.above
  mergeBuckets(into.positive, other.positive, scale.limit)
  mergeBuckets(into.negative, other.negative, scale.limit)
}

/** The numbers at the given ranks, in ascending order: exact while few, else within the error. */
export function numbersAt(sketch: DDSketch, ranks: readonly number[], scale: Scale): number[] {
  if (sketch.few === undefined) return ranks.map((rank) => numberAt(sketch, rank, scale))
  const sorted = Float64Array.from(sketch.few).sort()
  return ranks.map((rank) => sorted[rank - 1] as number)
}

/** How many numbers were added. */
export function countOf(sketch: DDSketch): number {
  return sketch.few === undefined ? sketch.count : sketch.few.length
}

/** Moves the few into buckets, for good. */
function spread(sketch: DDSketch, scale: Scale): void {
  const { few = [] } = sketch
  sketch.few = undefined
  for (const value of few) place(sketch, value, scale)
}

function place(sketch: DDSketch, value: number, { perLog, limit }: Scale): void {
  sketch.count += 1
  if (value === Infinity) sketch.above += 1
  else if (value === -Infinity) sketch.below += 1
  else {
    if (value < sketch.min) sketch.min = value
    if (value > sketch.max) sketch.max = value
    if (value > 0) addToBucket(sketch.positive, Math.ceil(Math.log(value) * perLog), 1, limit)
    else if (value < 0) addToBucket(sketch.negative, Math.ceil(Math.log(-value) * perLog), 1, limit)
    else sketch.zeros += 1
  }
}

function numberAt(sketch: DDSketch, rank: number, scale: Scale): number {
  const { below, above, count, min, max, negative, positive, zeros } = sketch
  if (rank <= below) return -Infinity
  if (rank > count - above) return Infinity
  if (rank === below + 1) return min
  if (rank === count - above) return max
  return Math.min(max, Math.max(min, walk(rank - below)))

  function walk(rankOfFinite: number): number {
    let left = rankOfFinite
    for (let i = negative.counts.length - 1; i >= 0; i -= 1) {
      left -= negative.counts[i] as number
      if (left <= 0) return -middleOf(negative.low + i, scale)
    }
    left -= zeros
    if (left <= 0) return 0
    for (const [i, held] of positive.counts.entries()) {
      left -= held
      if (left <= 0) return middleOf(positive.low + i, scale)
    }
    return max
  }
}

function middleOf(bucket: number, { perLog, middle }: Scale): number {
  return Math.exp(bucket / perLog) * middle
}

// A sum of doubles that in practice does not depend on their order.

/**
 * A running sum in parts: `sum + rest + wraps × 2^1023`, or `infinite` if that is not 0.
 *
 * Rounding errors are collected in `rest`, so that the whole is as accurate as with twice the digits. `sum` is always
 * finite.
 *
 * @see Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen (1974)
 */
export interface Total {
  sum: number
  /** What rounding took off `sum` so far. */
  rest: number
  /** How often 2^1023 was subtracted because the sum exceeded the largest double. */
  wraps: number
  /** The sum of all infinities: 0, one of them, or NaN for both. */
  infinite: number
}

const TOP = 2 ** 1023
const NEAR_TOP = 2 ** 1022

export function emptyTotal(): Total {
  return { sum: 0, rest: 0, wraps: 0, infinite: 0 }
}

/** Adds a number that is not NaN. */
export function addTo(total: Total, value: number): void {
  const before = total.sum
  const after = before + value
  if (!Number.isFinite(after)) {
    addBeyond(total, value)
    return
  }
  // The rounding error: the difference between the exact sum and the computed one.
  const added = after - before
  total.sum = after
  total.rest += before - (after - added) + (value - added)
}

/** Whether `sum` and `rest` represent it completely, in numbers that JSON supports. */
export function isPlainTotal({ rest, wraps, infinite }: Total): boolean {
  return wraps === 0 && infinite === 0 && Number.isFinite(rest)
}

export function mergeTotal(into: Total, other: Total): void {
  addTo(into, other.sum)
  into.rest += other.rest
  into.wraps += other.wraps
  into.infinite += other.infinite
}

export function sumOf(total: Total): number {
  return meanOf(total, 1)
}

/** The sum, divided by a count; even if the sum itself exceeds the range of a double. */
export function meanOf({ sum, rest, wraps, infinite }: Total, count: number): number {
  if (infinite !== 0) return infinite
  if (wraps === 0 && Math.abs(sum) < NEAR_TOP) return (sum + rest) / count
  return ((wraps * 2 ** 963 + sum * 2 ** -60 + rest * 2 ** -60) / count) * 2 ** 60
}

/** Adds what would overflow: 2^1023 is subtracted from both sides, as often as needed. */
function addBeyond(total: Total, value: number): void {
  if (!Number.isFinite(value)) {
    total.infinite += value
    return
  }
  const sign = Math.sign(value)
  let left = value
  // The subtraction is exact: both numbers are within a factor of two.
  if (Math.abs(total.sum) >= NEAR_TOP) {
    total.sum -= sign * TOP
    total.wraps += sign
  }
  if (Math.abs(left) >= NEAR_TOP) {
    left -= sign * TOP
    total.wraps += sign
  }
  addTo(total, left)
}

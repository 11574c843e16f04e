// Numbers out of bytes, exactly: digits that a double holds, and a power of ten that it holds.

const ZERO = 0x30
const POINT = 0x2e
const MINUS = 0x2d
/** Up to so many digits are an integer without rounding, and up to 10^22 a power of ten is: their quotient is rounded once. */
const MOST_DIGITS = 15
const POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The number that is written in bytes, or NaN if it is not written plainly: with an exponent, a plus, or more digits than
 * are read without rounding. What is NaN may still be a number.
 *
 * @example
 * plainNumberOf(Buffer.from('-12.50'), 0, 6) // => -12.5
 * plainNumberOf(Buffer.from('1e3'), 0, 3) // => NaN
 */
export function plainNumberOf(bytes: Buffer, from: number, to: number): number {
  const isNegative = bytes[from] === MINUS
  const first = isNegative ? from + 1 : from
  let value = 0
  let pointAt = -1
  for (let at = first; at < to; at += 1) {
    const digit = (bytes[at] as number) - ZERO
    if (digit >= 0 && digit <= 9) value = value * 10 + digit
    else if (bytes[at] === POINT && pointAt === -1) pointAt = at
    else return Number.NaN
  }
  const digits = to - first - (pointAt === -1 ? 0 : 1)
  if (digits === 0 || digits > MOST_DIGITS) return Number.NaN
  if (pointAt !== -1) value /= POWERS[to - pointAt - 1] as number
  return isNegative ? -value : value
}

/** The integer that is written in bytes, or NaN if it is not written plainly. An integer has no negative zero. */
export function plainIntegerOf(bytes: Buffer, from: number, to: number): number {
  const isNegative = bytes[from] === MINUS
  const first = isNegative ? from + 1 : from
  if (to === first || to - first > MOST_DIGITS) return Number.NaN
  let value = 0
  for (let at = first; at < to; at += 1) {
    const digit = (bytes[at] as number) - ZERO
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return (isNegative ? -value : value) + 0
}

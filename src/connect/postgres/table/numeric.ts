// Decimal numbers in PostgreSQL's binary format: digits to the base of 10,000.

import type { Decimal } from '../../kits/decimal.ts'
import type { Output } from './output.ts'

const BASE_DIGITS = 4
const NEGATIVE = 0x4000

/** Writes length and value. */
export function writeNumeric(out: Output, { isNegative, whole, fraction }: Decimal): void {
  const left = '0'.repeat((BASE_DIGITS - (whole.length % BASE_DIGITS)) % BASE_DIGITS) + whole
  const right = fraction + '0'.repeat((BASE_DIGITS - (fraction.length % BASE_DIGITS)) % BASE_DIGITS)
  const digits: number[] = []
  for (let at = 0; at < left.length; at += BASE_DIGITS) digits.push(Number(left.slice(at, at + BASE_DIGITS)))
  let weight = digits.length - 1
  for (let at = 0; at < right.length; at += BASE_DIGITS) digits.push(Number(right.slice(at, at + BASE_DIGITS)))
  while (digits.length > 0 && digits[0] === 0) {
    digits.shift()
    weight -= 1
  }
  while (digits.at(-1) === 0) digits.pop()
  out.reserve(12 + digits.length * 2)
  out.int32(8 + digits.length * 2)
  out.int16(digits.length)
  out.int16(digits.length === 0 ? 0 : weight)
  out.int16(isNegative && digits.length > 0 ? NEGATIVE : 0)
  out.int16(fraction.length)
  for (const digit of digits) out.int16(digit)
}

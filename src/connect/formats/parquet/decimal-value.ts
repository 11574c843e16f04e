// Decimals: integers with a scale, as strings of digits or as they are.

import { Refusal } from './physical.ts'

/** The most bytes of a decimal: over 600 digits. */
const MAX_BYTES = 256

/** Makes a decimal from its unscaled number: a text with as many digits after the point as the scale says. */
export function decimalOfNumber(scale: number, isText: boolean): (unscaled: number | bigint) => unknown {
  if (!isText) return (unscaled) => ({ unscaled: BigInt(unscaled), scale })
  if (scale === 0) return String
  return (unscaled) => {
    const isNegative = unscaled < 0
    const digits = String(isNegative ? -unscaled : unscaled).padStart(scale + 1, '0')
    const point = digits.length - scale
    return `${isNegative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`
  }
}

/** As {@link decimalOfNumber}, from big-endian two's complement. */
export function decimalOfBytes(scale: number, isText: boolean): (bytes: Buffer, from: number, to: number) => unknown {
  const make = decimalOfNumber(scale, isText)
  return (bytes, from, to) => {
    const length = to - from
    if (length === 0 || length > MAX_BYTES) return new Refusal(`a decimal of ${length} bytes`, '')
    if (length <= 6) return make(bytes.readIntBE(from, length))
    return make(BigInt.asIntN(length * 8, BigInt(`0x${bytes.toString('hex', from, to)}`)))
  }
}

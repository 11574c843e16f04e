// Decimal numbers as strings of digits: a sign, digits, a fraction. They are kept as written, never calculated with.

const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/
const NUMBER = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]+))?$/

/** A parsed decimal number. */
export interface Decimal {
  readonly isNegative: boolean
  /** Empty for a number below 1. */
  readonly whole: string
  /** As written: trailing zeros show its precision. */
  readonly fraction: string
}

/**
 * Whether a value is a decimal: a string of digits, optionally with a leading `-` and a fraction, without an exponent,
 * a `+` or leading zeros. A text with those is more likely a code than a number, and would not come back unchanged.
 *
 * @example
 * isDecimal('-12.50') // => true
 * isDecimal('1e3') // => false
 * isDecimal('007') // => false
 */
export function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && DECIMAL.test(value)
}

/**
 * The digits of a value for a `decimal` column: a decimal as it is, a bigint, or a finite number in its shortest form
 * (which gives the same number back), without an exponent. Undefined for everything else.
 *
 * @example
 * decimalText('-12.50') // => '-12.50'
 * decimalText(2n ** 64n) // => '18446744073709551616'
 * decimalText(1.5e-7) // => '0.00000015'
 * decimalText('12,50') // => undefined
 */
export function decimalText(value: unknown): string | undefined {
  if (typeof value === 'string') return isDecimal(value) ? value : undefined
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const text = String(value)
  if (!text.includes('e')) return text
  const { isNegative, whole, fraction } = parseDecimal(value)
  return `${isNegative ? '-' : ''}${whole || '0'}${fraction === '' ? '' : `.${fraction}`}`
}

/** Parses what {@link decimalText} returns. */
export function parseDecimal(value: string | number | bigint): Decimal {
  const text = String(value)
  const [, sign, digits = '', decimals = '', exponent = '0'] = NUMBER.exec(text) ?? []
  const shift = Number(exponent)
  const isNegative = sign === '-'
  if (shift >= 0) {
    const moved = decimals.padEnd(shift, '0')
    return { isNegative, whole: withoutZeros(digits + moved.slice(0, shift)), fraction: moved.slice(shift) }
  }
  const moved = digits.padStart(1 - shift, '0')
  return { isNegative, whole: withoutZeros(moved.slice(0, shift)), fraction: moved.slice(shift) + decimals }
}

function withoutZeros(digits: string): string {
  return digits.replace(/^0+/, '')
}

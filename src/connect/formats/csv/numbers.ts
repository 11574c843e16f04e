// Localized numbers: with a decimal comma, and thousands separators.

/** The separators that numbers are written with. */
export interface NumberMarks {
  /** An integer, or one with a fraction. */
  readonly expression: RegExp
  readonly decimal: '.' | ','
  readonly thousands: RegExp | undefined
  /** An example number written with them. */
  readonly example: string
}

const EXPONENT = '(?:[eE][+-]?[0-9]+)?'
/** A thousands separator is often a no-break space. */
const SPACES = '[ \\u00a0\\u202f]'

/**
 * @param thousands - the thousands separator, if allowed
 */
export function numberMarks(decimal: '.' | ',', thousands: string | undefined): NumberMarks {
  const between = thousands === ' ' ? SPACES : thousands && RegExp.escape(thousands)
  const grouped = between === undefined ? '' : `[0-9]{1,3}(?:${between}[0-9]{3})+|`
  const point = decimal === '.' ? '\\.' : ','
  return {
    expression: new RegExp(`^[+-]?(?:(?:${grouped}[0-9]+)(?:${point}[0-9]*)?|${point}[0-9]+)${EXPONENT}$`),
    decimal,
    thousands: between === undefined ? undefined : new RegExp(between, 'g'),
    example: `1${thousands ?? ''}234${decimal}5`,
  }
}

/**
 * A number with a decimal point and no separators, as the other parsers expect it; undefined for text that is not
 * written this way.
 */
export function plainNumber(text: string, { expression, decimal, thousands }: NumberMarks): string | undefined {
  if (!expression.test(text)) return undefined
  const digits = thousands === undefined ? text : text.replace(thousands, '')
  return decimal === ',' ? digits.replace(',', '.') : digits
}

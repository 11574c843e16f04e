// Numbers as they are written in other places: with a decimal comma, and marks between thousands.

/** The marks that numbers are written with. */
export interface NumberMarks {
  /** A whole number, or one with a fraction. */
  readonly expression: RegExp
  readonly decimal: '.' | ','
  readonly thousands: RegExp | undefined
  /** A number that is written with them, for people. */
  readonly example: string
}

const EXPONENT = '(?:[eE][+-]?[0-9]+)?'
/** A space between thousands is often one at which a line does not break. */
const SPACES = '[ \\u00a0\\u202f]'

/**
 * @param thousands - what stands between groups of three digits, where something may
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

/** A number in digits with a point, as all others are read; undefined for what is not written with these marks. */
export function plainNumber(text: string, { expression, decimal, thousands }: NumberMarks): string | undefined {
  if (!expression.test(text)) return undefined
  const digits = thousands === undefined ? text : text.replace(thousands, '')
  return decimal === ',' ? digits.replace(',', '.') : digits
}

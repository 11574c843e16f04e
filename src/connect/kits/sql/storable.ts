// Text as a database can hold it.

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * A text without what databases reject: NUL and halves of surrogate pairs are written as escapes, for people to read.
 *
 * @example
 * // storable('a\0b') is 'a\\x00b'
 */
export function storable(text: string): string {
  const whole = text.includes('\0') ? text.replaceAll('\0', '\\x00') : text
  if (whole.isWellFormed()) return whole
  return whole.replace(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`)
}

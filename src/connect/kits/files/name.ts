// Names of folders and files made from data: always below the root, and unique to each value.

import { createHash } from 'node:crypto'

/** A longer name ends with the digest of its value: file systems allow 255 bytes. */
const MAX_BYTES = 150
const KEPT = 80

/** Characters allowed anywhere in a name, on every file system. */
const PLAIN = /^[A-Za-z0-9=+,@~_.-]$/

/** Device names of Windows, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i

/**
 * The name of a file or folder for any text: distinct for distinct texts, never leading elsewhere.
 *
 * Letters, digits and `=+,@~_.-` are kept; everything else is written as `%` and the hexadecimal of its bytes in UTF-8.
 * So is what would be hidden, special or a device: a leading `.` or `_`, a trailing `.`, the first letter of `CON`. The
 * empty text is `%empty`; a long one is cut, followed by `%~` and its SHA-256.
 *
 * @example
 * encodeName('2026-03-02') // => '2026-03-02'
 * encodeName('../../etc') // => '%2E.%2F..%2Fetc'
 * encodeName('') // => '%empty'
 */
export function encodeName(value: string): string {
  if (value === '') return '%empty'
  let name = ''
  for (const char of value) {
    name += PLAIN.test(char) && !(name === '' && (char === '.' || char === '_')) ? char : escaped(char)
    if (name.length > MAX_BYTES) return `${cut(name)}%~${digestOf(value)}`
  }
  if (name.endsWith('.')) name = `${name.slice(0, -1)}%2E`
  return DEVICE.test(name) ? `${escaped(name.slice(0, 1))}${name.slice(1)}` : name
}

function escaped(char: string): string {
  // Half of a surrogate pair has no bytes in UTF-8, and all halves would become those of U+FFFD.
  if (!char.isWellFormed()) return `%u${char.charCodeAt(0).toString(16).toUpperCase()}`
  return [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** The beginning of a name, not ending within an escape, and not a device. */
function cut(name: string): string {
  return name.slice(0, KEPT).replace(/%[^%]{0,4}$/, '')
}

function digestOf(value: string): string {
  return createHash('sha256').update(Buffer.from(value, 'utf16le')).digest('hex')
}

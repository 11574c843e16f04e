// Names of folders and files that are made of data: below the root whatever the data is, and each of one value only.

import { createHash } from 'node:crypto'

/** A longer name ends in the digest of its value: file systems take 255 bytes. */
const MAX_BYTES = 150
const KEPT = 80

/** What can stand as it is anywhere in a name, on every file system. */
const PLAIN = /^[A-Za-z0-9=+,@~_.-]$/

/** What Windows takes for a device, whatever follows a dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i

/**
 * The name of a file or folder for any text: never the name of two texts, never one that leads elsewhere.
 *
 * Letters, digits and `=+,@~_.-` stay; all else is written as `%` and the hexadecimal of its bytes in UTF-8. So is what
 * would be hidden, special or a device: a `.` or `_` in front, a `.` at the end, the first letter of `CON`. The empty
 * text is `%empty`; of a long one the beginning stays, with `%~` and its SHA-256 behind it.
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
  // Half of a surrogate pair has no bytes in UTF-8, and all halves would have those of U+FFFD.
  if (!char.isWellFormed()) return `%u${char.charCodeAt(0).toString(16).toUpperCase()}`
  return [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** The beginning of a name, without half of an escape at its end, and of no device. */
function cut(name: string): string {
  return name.slice(0, KEPT).replace(/%[^%]{0,4}$/, '')
}

function digestOf(value: string): string {
  return createHash('sha256').update(Buffer.from(value, 'utf16le')).digest('hex')
}

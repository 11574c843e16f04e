// Rejections that say where: what was expected, what was found, at which column.

import { Rejection } from '../../format.ts'

/** How many characters of a record a reason shows. */
const SHOWN = 60

/**
 * A rejection for the text at `at`: the word there is shown, its control characters escaped.
 *
 * @example
 * refuse('GET x 20O', 6, 'status is not three digits').reason
 * // => 'status is not three digits: found "20O" at column 7'
 * refuse('GET x', 5, 'no status').reason // => 'no status: the line ends at column 6'
 */
export function refuse(text: string, at: number, what: string): Rejection {
  if (at >= text.length) return new Rejection(`${what}: the line ends at column ${text.length + 1}`)
  return new Rejection(`${what}: found "${wordAt(text, at)}" at column ${at + 1}`)
}

/**
 * Text that is safe to show on a terminal: control and format characters, which could move the cursor or change the
 * direction of writing, are escaped.
 *
 * @example
 * printable('red\u001b[0m') // => 'red\\x1b[0m'
 * printable('\u202Eabc') // => '\\u202eabc'
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** The text at `at` up to the next space, for messages; a space itself with what follows it. */
function wordAt(text: string, at: number): string {
  const beginning = text.slice(at, at + SHOWN + 1)
  const space = beginning.indexOf(' ', 1)
  const shown = printable(space === -1 ? beginning : beginning.slice(0, space))
  return shown.length > SHOWN ? `${shown.slice(0, SHOWN).toWellFormed()}…` : shown
}

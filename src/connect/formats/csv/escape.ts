// Removes the escapes from the text of a field.

import { Rejection } from '../../format.ts'
import { printable } from '../../kits/text/refuse.ts'

/** What letters after an escape stand for, as in PostgreSQL and MySQL. */
const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/**
 * A text without its escapes: the character after one stands for itself, or for a control character if it is one of `b
 * f n r t v`. Rejected are other letters and digits after one, which every program interprets differently, and an
 * escape at the end.
 *
 * @example
 * unescaped('a\\"b\\\\c\\nd', '\\') // => 'a"b\\c\nd'
 */
export function unescaped(text: string, mark: string): string | Rejection {
  let at = text.indexOf(mark)
  if (at === -1) return text
  let made = ''
  let from = 0
  for (; at !== -1; at = text.indexOf(mark, from)) {
    const next = String.fromCodePoint(text.codePointAt(at + 1) ?? 0)
    if (at + 1 === text.length) return new Rejection(`a field ends with the escape ${printable(mark)}`)
    const control = CONTROLS[next]
    if (control === undefined && /[A-Za-z0-9]/.test(next))
      return new Rejection(`${printable(mark + next)} is not a known escape`)
    made += text.slice(from, at) + (control ?? next)
    from = at + 1 + next.length
  }
  return made + text.slice(from)
}

// Any text as a label of a Mermaid diagram.

import { escapeText } from './escape.ts'
import { redact } from './redact.ts'

/** Longest label, in characters: a diagram is meant to be looked at. */
const LONGEST = 120

// Anything Mermaid, or the Markdown in its labels, could interpret: all but letters, digits and a few signs, `_` next
// to anything but letters (emphasis), and what starts a list, a heading or a link.
const ESCAPED =
  /[^\p{L}\p{M}\p{N} .,/_()+-]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|^[+-]|(?<=^\d+)[.)]|(?<=\bwww)\.|(?<=^) | (?= )/giu

/**
 * A label that shows `text`: characters that could be interpreted become character references, secrets are removed.
 *
 * @example
 * mermaidLabel('a "b"') // => 'a #34;b#34;'
 */
export function mermaidLabel(text: string): string {
  const safe = redact(text)
  const short = safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe
  return escapeText(short).replace(ESCAPED, (char) => `#${char.codePointAt(0)};`)
}

// Any text as a label of a Mermaid diagram.

import { escapeText } from './escape.ts'
import { redact } from './redact.ts'

/** Longest label, in characters: a diagram is for the eye. */
const LONGEST = 120

// What Mermaid or the Markdown in its labels could take for something else: all but letters, digits and a few signs,
// `_` beside anything but letters (emphasis), and what makes a list, a heading or a link of a text.
const ESCAPED =
  /[^\p{L}\p{M}\p{N} .,/_()+-]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|^[+-]|(?<=^\d+)[.)]|(?<=\bwww)\.|(?<=^) | (?= )/giu

/**
 * A label that shows `text`: what could mean something becomes the reference of its character, secrets are left out.
 *
 * @example
 * mermaidLabel('a "b"') // => 'a #34;b#34;'
 */
export function mermaidLabel(text: string): string {
  const safe = redact(text)
  const short = safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe
  return escapeText(short).replace(ESCAPED, (char) => `#${char.codePointAt(0)};`)
}

// The format of plain text: each line is its own value.

import type { LineFormat } from '../format.ts'

/**
 * Takes each line as it stands, without its line end.
 *
 * @example
 * textLines().open(() => [])('to be', { source: 'a.txt', line: 1, offset: 0, raw: 'to be' }) // => 'to be'
 */
export function textLines(): LineFormat<string> {
  return { name: 'lines', open: () => asItStands }
}

function asItStands(text: string): string {
  return text
}

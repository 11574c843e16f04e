// The format of plain text: each line is its own value, or a row with one field.

import { checkOptions, trueOrFalse } from '../../base/options.ts'
import type { LineFormat } from '../format.ts'
import { linesScan } from './lines-scan.ts'

export interface TextLinesOptions {
  /** Whether each line is a row, `{ text }`, for operators that take field names. False by default. */
  readonly rows?: boolean
}

/** A line as a row. */
export interface TextRow {
  text: string
}

/**
 * Returns each line unchanged, without its line end.
 *
 * @example
 * const at = { source: 'a.txt', line: 1, offset: 0, raw: 'to be' }
 * textLines().open(() => [])('to be', at) // => 'to be'
 * textLines({ rows: true }).open(() => [])('to be', at) // => { text: 'to be' }
 */
export function textLines(options?: TextLinesOptions & { readonly rows?: false }): LineFormat<string>
export function textLines(options: TextLinesOptions & { readonly rows: true }): LineFormat<TextRow>
export function textLines(options: TextLinesOptions = {}): LineFormat<string> | LineFormat<TextRow> {
  checkOptions('textLines', options, { rows: trueOrFalse })
  if (options.rows !== true) return { name: 'lines', open: () => asItStands }
  return { name: 'lines', columns: { text: 'text' }, open: () => asRow, scan: () => linesScan<TextRow>('text') }
}

function asItStands(text: string): string {
  return text
}

function asRow(text: string): TextRow {
  return { text }
}

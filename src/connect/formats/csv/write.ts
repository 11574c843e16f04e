// Writes CSV: one line of fields, quoted if necessary.

import { checkKeys, describeValue } from '../../../base/check.ts'
import { jsonText } from '../../kits/json/line.ts'

export interface CsvLineOptions {
  /** The delimiter: one ASCII character, `,` by default. */
  readonly delimiter?: string
  /**
   * Whether cells that a spreadsheet would run as formulas become text, by a leading `'`; false by default. For files
   * that people open: programs that read them get the `'`, too.
   */
  readonly spreadsheetSafe?: boolean
}

/** What a cell can hold: an object is written as JSON, a date as ISO 8601, null and undefined as nothing. */
export type CsvValue = unknown

/** What a spreadsheet takes for the start of a formula, after blanks and quotes that it strips; also CR and TAB. */
const FORMULA = /^(?:[\t\r]|[\s"'\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])/

/**
 * One line of CSV with its line end, CR LF, which `csvSource` reads back as the same texts. An empty text is written as
 * `""`, and null as nothing.
 *
 * With `spreadsheetSafe`, a text that begins like a formula (`=`, `+`, `-`, `@`, TAB or CR, also after blanks and
 * quotes) gets a leading `'`. Numbers stay numbers, negative ones, too.
 *
 * @throws {TypeError} for a value that cannot be in a cell: a function, a symbol, an object that JSON cannot represent
 * @example
 * csvLine([1, 'a "b"', null, '', 'x,y']) // => '1,"a ""b""",,"","x,y"\r\n'
 * csvLine(['=1+1', -1], { spreadsheetSafe: true }) // => "'=1+1,-1\r\n"
 */
export function csvLine(values: readonly CsvValue[], options: CsvLineOptions = {}): string {
  checkKeys('csvLine', options, ['delimiter', 'spreadsheetSafe'])
  const { delimiter = ',', spreadsheetSafe = false } = options
  if (!/^[\t\x20-\x7e]$/.test(delimiter) || delimiter === '"') {
    throw new TypeError(
      `delimiter must be one printable ASCII character but ", or TAB: found ${describeValue(delimiter)}`,
    )
  }
  let line = ''
  for (const [place, value] of values.entries()) {
    if (place > 0) line += delimiter
    if (value !== null && value !== undefined) line += cellOf(value, delimiter, spreadsheetSafe)
  }
  return `${line}\r\n`
}

function cellOf(value: unknown, delimiter: string, isSafe: boolean): string {
  const text = textOf(value)
  // A number is not a formula.
  if (typeof value === 'number' || typeof value === 'bigint') return quoted(text, delimiter)
  return quoted(isSafe && FORMULA.test(text) ? `'${text}` : text, delimiter)
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object': {
      if (value instanceof Date) {
        if (Number.isNaN(value.getTime())) break
        return value.toISOString()
      }
      return jsonText(value)
    }
  }
  throw new TypeError(`a cell of CSV is a text, a number, a boolean, a date or JSON: found ${describeValue(value)}`)
}

/** Quoted if some reader would misread it unquoted: surrounded by blanks, or like a comment. */
function quoted(text: string, delimiter: string): string {
  const isPlain = /^[\p{L}\p{N}_'=+\-@.](?:[^"\r\n]*[^"\r\n\s])?$/u.test(text) && !text.includes(delimiter)
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`
}

// Cuts a CSV record into its fields.

import { Rejection } from '../format.ts'
import { refuse } from '../formats/refuse.ts'
import { codeOf, type Dialect, SPACE, TAB } from './dialect.ts'

/** The fields of a record; null for one that is empty and has no quotes around it. */
export type Fields = (string | null)[]

/** Cuts records of one dialect into fields, in a time that grows with their length. */
export type CutFields = (text: string) => Fields | Rejection

/**
 * A cutter of fields.
 *
 * A field that begins with a quote ends at the next one that is not doubled; what follows must be a delimiter or the
 * end. In other fields quotes are text. A record that is not so, or that has more than `maxFields`, is refused.
 *
 * @example
 * const dialect = { delimiter: ',', quote: '"', comment: undefined, trim: false, quotedNewlines: true,
 *   maxFields: 10_000, maxRecordBytes: 1_048_576 }
 * fieldCutter(dialect)('a,"b ""c"", d",,""') // => ['a', 'b "c", d', null, '']
 * fieldCutter(dialect)('"a" b,c') instanceof Rejection // => true
 */
export function fieldCutter(dialect: Dialect): CutFields {
  const { delimiter, quote, trim, maxFields } = dialect
  const tooMany = new Rejection(`more than ${maxFields.toLocaleString('en-US')} fields`)

  function cutPlain(text: string): Fields | Rejection {
    const fields: Fields = []
    let from = 0
    for (let to = text.indexOf(delimiter); to !== -1; to = text.indexOf(delimiter, from)) {
      fields.push(plain(text, from, to))
      from = to + 1
      if (fields.length === maxFields) return tooMany
    }
    fields.push(plain(text, from, text.length))
    return fields
  }

  function plain(text: string, from: number, to: number): string | null {
    if (!trim) return from === to ? null : text.slice(from, to)
    const first = skipBlanks(text, from, to)
    let last = to
    while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1
    return first === last ? null : text.slice(first, last)
  }

  /** Behind blanks that are to be dropped. */
  function skipBlanks(text: string, from: number, to: number): number {
    let at = from
    if (trim) while (at < to && isBlank(text.charCodeAt(at))) at += 1
    return at
  }

  const delimiterCode = codeOf(delimiter)
  function isBlank(code: number): boolean {
    return (code === SPACE || code === TAB) && code !== delimiterCode
  }

  if (quote === undefined) return cutPlain
  const quoteCode = codeOf(quote)

  return (text) => {
    if (!text.includes(quote)) return cutPlain(text)
    const fields: Fields = []
    let from = 0
    for (;;) {
      let to: number
      const begin = skipBlanks(text, from, text.length)
      if (text.charCodeAt(begin) === quoteCode) {
        let close = text.indexOf(quote, begin + 1)
        let isDoubled = false
        while (close !== -1 && text.charCodeAt(close + 1) === quoteCode) {
          isDoubled = true
          close = text.indexOf(quote, close + 2)
        }
        if (close === -1) return new Rejection(`field ${fields.length + 1} opens a quote that is not closed`)
        const content = text.slice(begin + 1, close)
        fields.push(isDoubled ? content.replaceAll(quote + quote, quote) : content)
        to = skipBlanks(text, close + 1, text.length)
        const isEnd = to === text.length || text.charCodeAt(to) === delimiterCode
        if (!isEnd) return refuse(text, to, `text follows the quotes of field ${fields.length}`)
      } else {
        const next = text.indexOf(delimiter, from)
        to = next === -1 ? text.length : next
        fields.push(plain(text, from, to))
      }
      if (to === text.length) return fields
      if (fields.length === maxFields) return tooMany
      from = to + 1
    }
  }
}

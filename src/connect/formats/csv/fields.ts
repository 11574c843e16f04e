// Splits a CSV record into its fields.

import { Rejection } from '../../format.ts'
import { refuse } from '../../kits/text/refuse.ts'
import { codeOf, type Dialect, SPACE, TAB } from './dialect.ts'
import { unescaped } from './escape.ts'

/** The fields of a record; null for one that is unquoted and empty, or a word for null. */
export type Fields = (string | null)[]

/** Splits records of one dialect into fields, in linear time. */
export type CutFields = (text: string) => Fields | Rejection

/** Where an unquoted field ends. */
type FindEnd = (text: string, from: number) => number

/**
 * Makes a splitter of fields.
 *
 * A field that begins with a quote ends at the next one that is neither doubled nor escaped; a delimiter or the end
 * must follow. In other fields quotes are text. Any other record is rejected, as is one of more than `maxFields`, and a
 * backslash before a quote in an unquoted field, unless the dialect says what it means.
 *
 * @example
 * const dialect = { delimiter: ',', quote: '"', escape: undefined, comment: undefined, trim: false, quotedNewlines: true,
 *   nulls: undefined, maxFields: 10_000, maxRecordBytes: 1_048_576 }
 * fieldCutter(dialect)('a,"b ""c"", d",,""') // => ['a', 'b "c", d', null, '']
 * fieldCutter(dialect)('"a" b,c') instanceof Rejection // => true
 * fieldCutter({ ...dialect, escape: '\\' })('"a \\"b\\"",\\,') // => ['a "b"', ',']
 */
export function fieldCutter(dialect: Dialect): CutFields {
  const { delimiter, quote, trim, nulls, maxFields } = dialect
  const escapeMark = dialect.escape
  const tooMany = new Rejection(`more than ${maxFields.toLocaleString('en-US')} fields`)
  const words = nulls === undefined ? undefined : new Set(nulls)
  const step = delimiter.length
  const endOf: FindEnd = typeof escapeMark === 'string' ? escapedEnd(delimiter, escapeMark) : plainEnd(delimiter)

  function cutPlain(text: string): Fields | Rejection {
    const fields: Fields = []
    let from = 0
    for (let to = text.indexOf(delimiter); to !== -1; to = text.indexOf(delimiter, from)) {
      fields.push(plain(text, from, to))
      from = to + step
      if (fields.length === maxFields) return tooMany
    }
    fields.push(plain(text, from, text.length))
    return fields
  }

  function plain(text: string, from: number, to: number): string | null {
    if (!trim) return nulled(from === to ? null : text.slice(from, to))
    const first = skipBlanks(text, from, to)
    let last = to
    while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1
    return nulled(first === last ? null : text.slice(first, last))
  }

  function nulled(field: string | null): string | null {
    if (words === undefined) return field
    return words.has(field ?? '') ? null : (field ?? '')
  }

  /** After blanks to be trimmed. */
  function skipBlanks(text: string, from: number, to: number): number {
    let at = from
    if (trim) while (at < to && isBlank(text.charCodeAt(at))) at += 1
    return at
  }

  const delimiterCode = codeOf(delimiter)
  function isBlank(code: number): boolean {
    return (code === SPACE || code === TAB) && code !== delimiterCode
  }

  if (quote === undefined && typeof escapeMark !== 'string') return cutPlain
  const quoteCode = codeOf(quote)
  const escapeCode = codeOf(escapeMark)

  /** The position of the quote that closes what begins at `from`; -1 if it is not closed. */
  function closeOf(text: string, from: number): number {
    let close = text.indexOf(quote as string, from)
    if (escapeCode === -1) {
      while (close !== -1 && text.charCodeAt(close + 1) === quoteCode) close = text.indexOf(quote as string, close + 2)
      return close
    }
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code === escapeCode) at += 1
      else if (code === quoteCode) {
        if (text.charCodeAt(at + 1) !== quoteCode) return at
        at += 1
      }
    }
    return -1
  }

  function contentOf(text: string): string | Rejection {
    const content = text.includes(quote as string) ? undoubled(text) : text
    return escapeCode === -1 ? content : unescaped(content, escapeMark as string)
  }

  /** A doubled quote is one quote; the escape of an escaped quote is removed later. */
  function undoubled(text: string): string {
    const one = quote as string
    if (escapeCode === -1) return text.replaceAll(one + one, one)
    let content = ''
    let from = 0
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code === escapeCode) at += 1
      else if (code === quoteCode) {
        content += text.slice(from, at)
        from = at + 1
        at += 1
      }
    }
    return content + text.slice(from)
  }

  function openField(text: string, from: number, to: number): string | null | Rejection {
    const field = plain(text, from, to)
    if (field === null) return null
    if (escapeCode !== -1) return unescaped(field, escapeMark as string)
    const at = escapeMark === undefined && quote !== undefined ? field.indexOf(`\\${quote}`) : -1
    return at === -1 ? field : refuse(text, from, SUSPICIOUS)
  }

  return (text) => {
    const mayBeQuoted = quote !== undefined && text.includes(quote)
    if (!mayBeQuoted && (escapeCode === -1 || !text.includes(escapeMark as string))) return cutPlain(text)
    const fields: Fields = []
    let from = 0
    for (;;) {
      let to: number
      const begin = skipBlanks(text, from, text.length)
      if (mayBeQuoted && text.charCodeAt(begin) === quoteCode) {
        const close = closeOf(text, begin + 1)
        if (close === -1) return new Rejection(`field ${fields.length + 1} opens a quote that is not closed`)
        const content = contentOf(text.slice(begin + 1, close))
        if (content instanceof Rejection) return content
        fields.push(content)
        to = skipBlanks(text, close + 1, text.length)
        const isEnd = to === text.length || text.startsWith(delimiter, to)
        if (!isEnd) return refuse(text, to, `text follows the closing quote of field ${fields.length}`)
      } else {
        to = endOf(text, from)
        const field = openField(text, from, to)
        if (field instanceof Rejection) return field
        fields.push(field)
      }
      if (to === text.length) return fields
      if (fields.length === maxFields) return tooMany
      from = to + step
    }
  }
}

const SUSPICIOUS =
  "a backslash precedes a quote in an unquoted field: set escape: '\\\\' if it escapes, or escape: false if it is text"

function plainEnd(delimiter: string): FindEnd {
  return (text, from) => {
    const next = text.indexOf(delimiter, from)
    return next === -1 ? text.length : next
  }
}

function escapedEnd(delimiter: string, escapeMark: string): FindEnd {
  const escapeCode = escapeMark.charCodeAt(0)
  return (text, from) => {
    for (let at = from; at < text.length; at += 1) {
      if (text.charCodeAt(at) === escapeCode) at += 1
      else if (text.startsWith(delimiter, at)) return at
    }
    return text.length
  }
}

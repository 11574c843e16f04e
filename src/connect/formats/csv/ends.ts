// Where CSV records end: at line ends, except within quotes.

import type { RecordEnds } from '../../kits/files/records/record-cutter.ts'
import { CR, codeOf, type Dialect, LF, SPACE, TAB } from './dialect.ts'

/** What the next byte is in. */
type State =
  /** At the beginning of a field. */
  | 'field'
  /** In an unquoted field. */
  | 'plain'
  | 'quoted'
  /** After a quote in a quoted field: its end, or the first of a doubled quote. */
  | 'closed'
  /** After blanks that follow a quoted field. */
  | 'trimmed'
  /** In a delimiter of several characters that follows a quoted field. */
  | 'parted'
  /** After a CR that follows a quoted field: the first half of a line end, or it is malformed. */
  | 'cr'
  /** In a line whose quotes do not matter: it is too long, malformed, or a comment. */
  | 'line'

/**
 * Finds the ends of CSV records.
 *
 * A quote that is opened and never closed must not consume the rest of the file: what cannot be one record, because
 * text follows a closing quote, it is over the limit, or the file ends, is reduced to its first line, and the next
 * record begins after that. In a record of several lines all quotes must be proper; in a single line, a quote inside an
 * unquoted field is text.
 *
 * So no line is looked at more than twice: read from inside quotes it parses the opposite way than from outside, and if
 * one way leaves the quotes open, the other does not.
 */
export class CsvEnds implements RecordEnds {
  readonly noun = 'record'
  readonly isOver = false
  readonly broken = undefined
  readonly lineEnd: number
  /** Set by each call that finds an end. */
  spansLines = false
  readonly #dialect: Dialect
  /** The delimiter's last byte. */
  readonly #delimiter: number
  /** The whole delimiter, if it has several bytes. */
  readonly #longDelimiter: Buffer | undefined
  readonly #quote: number
  readonly #escape: number
  readonly #comment: number
  /** Whether quotes can contain line ends at all. */
  readonly #mayHide: boolean
  #state: State = 'field'
  /** Where the record's first line ends, from its beginning; 0 within that line. */
  #firstLine = 0
  /** Whether there was a quote inside an unquoted field. */
  #hasLiteral = false
  /** Where the open field begins, from the record's beginning; kept for delimiters of several bytes. */
  #fieldFrom = 0
  /** Whether the previous byte was an escape. */
  #isEscaped = false
  /** The bytes that `#quoteAt` refers to. */
  #looked: Buffer | undefined
  /** The next quote found so far; past all bytes if there is no more. */
  #quoteAt = 0

  constructor(dialect: Dialect, lineEnd: number) {
    this.lineEnd = lineEnd
    this.#dialect = dialect
    const delimiter = Buffer.from(dialect.delimiter)
    this.#delimiter = delimiter.at(-1) ?? -1
    this.#longDelimiter = delimiter.length > 1 ? delimiter : undefined
    this.#escape = codeOf(dialect.escape)
    this.#quote = codeOf(dialect.quote)
    this.#comment = codeOf(dialect.comment)
    this.#mayHide = dialect.quotedNewlines && (dialect.quote !== undefined || this.#escape !== -1)
  }

  begin(_bytes: Buffer, at: number): number {
    return at
  }

  find(bytes: Buffer, from: number, at: number): number {
    this.spansLines = false
    if (!this.#mayHide) return endBehind(bytes.indexOf(this.lineEnd, at))
    if (from === at && bytes[from] !== this.#quote) {
      if (bytes[from] === this.#comment) this.#state = 'line'
      else {
        const end = bytes.indexOf(this.lineEnd, from)
        if (end !== -1 && this.#nextQuote(bytes, from) > end && !this.#hasEscape(bytes, from, end)) return end + 1
      }
    }
    return this.#scan(bytes, from, at)
  }

  finish(bytes: Buffer, from: number): number {
    return this.#done(this.#firstLine > 0 && this.#state === 'quoted' ? from + this.#firstLine : bytes.length)
  }

  textEnd(bytes: Buffer, from: number, to: number): number {
    let end = to
    if (end > from && bytes[end - 1] === this.lineEnd) end -= 1
    if (this.lineEnd === LF && end > from && bytes[end - 1] === CR) end -= 1
    return end
  }

  isBlank(bytes: Buffer, from: number, textEnd: number): boolean {
    if (textEnd === from || bytes[from] === this.#comment) return true
    // A field of trimmed blanks is empty.
    if (!this.#dialect.trim) return false
    for (let at = from; at < textEnd; at += 1) {
      const byte = bytes[at]
      if ((byte !== SPACE && byte !== TAB) || byte === this.#delimiter) return false
    }
    return true
  }

  missing(): undefined {}

  #hasEscape(bytes: Buffer, from: number, to: number): boolean {
    return this.#escape !== -1 && bytes.subarray(from, to).includes(this.#escape)
  }

  #nextQuote(bytes: Buffer, from: number): number {
    if (this.#looked === bytes && this.#quoteAt >= from) return this.#quoteAt
    const at = bytes.indexOf(this.#quote, from)
    this.#looked = bytes
    this.#quoteAt = at === -1 ? bytes.length : at
    return this.#quoteAt
  }

  #scan(bytes: Buffer, from: number, seen: number): number {
    const quote = this.#quote
    const delimiter = this.#delimiter
    const lineEnd = this.lineEnd
    const escapeCode = this.#escape
    if (this.#state === 'line') return this.#endLine(bytes, seen)
    const limit = from + this.#dialect.maxRecordBytes + 2
    const to = Math.min(bytes.length, limit)
    let state: State = this.#state
    let at = seen
    while (at < to) {
      let byte = bytes[at]
      if (this.#isEscaped) {
        this.#isEscaped = false
        if (byte === lineEnd && this.#firstLine === 0) this.#firstLine = at + 1 - from
        if (state === 'field') state = 'plain'
      } else if (byte === escapeCode && (state === 'field' || state === 'plain' || state === 'quoted')) {
        this.#isEscaped = true
      } else if (state === 'quoted') {
        // The common case: text in quotes.
        while (byte !== quote && byte !== lineEnd && byte !== escapeCode && at + 1 < to) byte = bytes[++at]
        if (byte === quote) state = 'closed'
        else if (byte === escapeCode) this.#isEscaped = true
        else if (byte === lineEnd) {
          if (this.#hasLiteral) return this.#done(at + 1)
          if (this.#firstLine === 0) this.#firstLine = at + 1 - from
        }
      } else if (byte === lineEnd) {
        return this.#done(at + 1)
      } else if (byte === delimiter && state !== 'cr' && this.#isDelimiter(bytes, from, at, state)) {
        state = 'field'
        this.#fieldFrom = at + 1 - from
      } else if (this.#longDelimiter !== undefined && this.#isParted(bytes, from, at, state)) {
        if (state === 'closed' || state === 'trimmed') this.#fieldFrom = at - from
        state = 'parted'
      } else if (state === 'field') {
        if (byte === quote) state = 'quoted'
        else if (!this.#isTrimmed(byte)) state = 'plain'
      } else if (state === 'plain') {
        if (byte === quote) {
          if (this.#firstLine > 0) return this.#giveUp(bytes, from, at)
          this.#hasLiteral = true
        }
      } else if (state === 'closed' && byte === quote) {
        state = 'quoted'
      } else if (byte === CR && state !== 'cr' && lineEnd === LF) {
        state = 'cr'
      } else if (state !== 'cr' && state !== 'parted' && this.#isTrimmed(byte)) {
        state = 'trimmed'
      } else {
        return this.#giveUp(bytes, from, at)
      }
      at += 1
    }
    this.#state = state
    return at === limit ? this.#giveUp(bytes, from, at) : -1
  }

  /** Whether a delimiter ends at `at`. */
  #isDelimiter(bytes: Buffer, from: number, at: number, state: State): boolean {
    const long = this.#longDelimiter
    if (long === undefined) return true
    const begin = at + 1 - long.length
    if (state === 'closed' || state === 'trimmed' || begin < from + this.#fieldFrom) return false
    return bytes.compare(long, 0, long.length, begin, at + 1) === 0
  }

  /** Whether a delimiter of several bytes that begins after a quoted field continues at `at`. */
  #isParted(bytes: Buffer, from: number, at: number, state: State): boolean {
    const place = state === 'closed' || state === 'trimmed' ? 0 : state === 'parted' ? at - from - this.#fieldFrom : -1
    return bytes[at] === this.#longDelimiter?.[place]
  }

  #isTrimmed(byte: number | undefined): boolean {
    return this.#dialect.trim && (byte === SPACE || byte === TAB)
  }

  /** What was read as one record is only its first line. */
  #giveUp(bytes: Buffer, from: number, at: number): number {
    if (this.#firstLine > 0) return this.#done(from + this.#firstLine)
    this.#state = 'line'
    return this.#endLine(bytes, at)
  }

  #endLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(this.lineEnd, at)
    return end === -1 ? -1 : this.#done(end + 1)
  }

  #done(end: number): number {
    this.spansLines = this.#firstLine > 0
    this.#reset()
    return end
  }

  #reset(): void {
    this.#state = 'field'
    this.#firstLine = 0
    this.#hasLiteral = false
    this.#fieldFrom = 0
    this.#isEscaped = false
  }
}

function endBehind(lineEnd: number): number {
  return lineEnd === -1 ? -1 : lineEnd + 1
}

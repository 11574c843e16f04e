// How a CSV file is written: the delimiter, the quote, the start of comments.

/** The special characters of a file. All but the delimiter are single ASCII characters. */
export interface Dialect {
  /** Between fields: one or more characters. */
  readonly delimiter: string
  /** Around fields; undefined if no field is quoted. */
  readonly quote: string | undefined
  /**
   * Precedes a character that stands for itself; false for none, undefined if not specified: a backslash before a quote
   * in an unquoted field is then rejected.
   */
  readonly escape: string | false | undefined
  /** The beginning of a line that is not a record; undefined for none. */
  readonly comment: string | undefined
  /** Whether spaces and tabs around fields are trimmed. */
  readonly trim: boolean
  /** Whether a quoted field may contain line ends. */
  readonly quotedNewlines: boolean
  /** The unquoted texts that mean null; undefined for an empty field only. */
  readonly nulls: readonly string[] | undefined
  /** Most fields of a record. */
  readonly maxFields: number
  /** Longest record in bytes, without its line end. */
  readonly maxRecordBytes: number
}

/** The code of a dialect's character; -1, which no byte has, if not set. */
export function codeOf(character: string | false | undefined): number {
  return character === undefined || character === false ? -1 : character.charCodeAt(0)
}

export const LF = 0x0a
export const CR = 0x0d
export const TAB = 0x09
export const SPACE = 0x20

/**
 * The byte that ends lines in a text: LF, which may follow a CR, unless the first line end outside of quotes is a CR
 * alone, as old Macs wrote it.
 *
 * @param isWhole - whether this is all of the text
 */
export function tellLineEnd(
  bytes: Buffer,
  dialect: Partial<Pick<Dialect, 'quote' | 'escape'>>,
  isWhole: boolean,
): number {
  const quoteCode = codeOf(dialect.quote)
  const escapeCode = codeOf(dialect.escape)
  let isQuoted = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === escapeCode) at += 1
    else if (byte === quoteCode) isQuoted = !isQuoted
    else if (byte === LF && !isQuoted) return LF
    else if (byte === CR && !isQuoted) {
      const isAlone = at + 1 < bytes.length ? bytes[at + 1] !== LF : isWhole
      return isAlone ? CR : LF
    }
  }
  return LF
}

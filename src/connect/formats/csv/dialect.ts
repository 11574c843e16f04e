// How a CSV file is written: what stands between fields, around them, and before comments.

/** The characters that mean something in a file. All but the delimiter are one of ASCII. */
export interface Dialect {
  /** Between fields: one character or several. */
  readonly delimiter: string
  /** Around fields; undefined where none are quoted. */
  readonly quote: string | undefined
  /**
   * Before a character that stands for itself; false where none is meant to be one, undefined where nobody has said so:
   * a backslash before a quote in a field without quotes is refused then.
   */
  readonly escape: string | false | undefined
  /** What a line begins with that is no record; undefined where all are. */
  readonly comment: string | undefined
  /** Whether spaces and tabs around fields are dropped. */
  readonly trim: boolean
  /** Whether a quoted field may hold line ends. */
  readonly quotedNewlines: boolean
  /** What is null where it stands without quotes; undefined for an empty field only. */
  readonly nulls: readonly string[] | undefined
  /** Most fields of a record. */
  readonly maxFields: number
  /** Longest record in bytes, without its line end. */
  readonly maxRecordBytes: number
}

/** The code of a dialect's character; -1, which no byte has, where there is none. */
export function codeOf(character: string | false | undefined): number {
  return character === undefined || character === false ? -1 : character.charCodeAt(0)
}

export const LF = 0x0a
export const CR = 0x0d
export const TAB = 0x09
export const SPACE = 0x20

/**
 * The byte that ends lines in a text: LF, which may stand behind a CR, unless the first line end outside of quotes is a
 * CR alone, as old Macs wrote it.
 *
 * @param isWhole - whether there is no more of the text
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

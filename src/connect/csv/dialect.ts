// How a CSV file is written: what stands between fields, around them, and before comments.

/** The bytes that mean something in a file; each is one ASCII character. */
export interface Dialect {
  /** Between fields. */
  readonly delimiter: string
  /** Around fields; undefined where none are quoted. */
  readonly quote: string | undefined
  /** What a line begins with that is no record; undefined where all are. */
  readonly comment: string | undefined
  /** Whether spaces and tabs around fields are dropped. */
  readonly trim: boolean
  /** Whether a quoted field may hold line ends. */
  readonly quotedNewlines: boolean
  /** Most fields of a record. */
  readonly maxFields: number
  /** Longest record in bytes, without its line end. */
  readonly maxRecordBytes: number
}

/** The code of a dialect's character; -1, which no byte has, where there is none. */
export function codeOf(character: string | undefined): number {
  return character === undefined ? -1 : character.charCodeAt(0)
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
export function tellLineEnd(bytes: Buffer, quote: string | undefined, isWhole: boolean): number {
  const quoteCode = codeOf(quote)
  let isQuoted = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quoteCode) isQuoted = !isQuoted
    else if (byte === LF && !isQuoted) return LF
    else if (byte === CR && !isQuoted) {
      const isAlone = at + 1 < bytes.length ? bytes[at + 1] !== LF : isWhole
      return isAlone ? CR : LF
    }
  }
  return LF
}

// Plain lines cut from one string: most of the work of a line is then done for thousands at once.

const CR = 0x0d
const TAB = 0x09
const SPACE = 0x20

/**
 * Cuts lines from one string in which nothing needs a closer look: valid UTF-8, no NUL, each line ended by LF and within
 * the limit. Drops one CR before an LF, and lines of spaces and tabs only.
 *
 * A line of 13 characters or more is a view of the string, which stays in memory as long as the line does.
 */
export class TextRun {
  #text = ''
  /** Whether a character is a byte. */
  #isAscii = true
  /** Where the next line begins, in characters as all places here. */
  #at = 0
  /** Where the line given last begins. */
  #from = 0
  /** Up to where bytes were told. */
  #told = 0
  /** Lines passed since they were told, blank ones among them. */
  #lines = 0
  /** Blank lines passed since they were told. */
  #blanks = 0

  /** Takes the next text: lines, the last one ended, too. */
  enter(text: string, isAscii: boolean): void {
    this.#text = text
    this.#isAscii = isAscii
    this.#at = 0
    this.#from = 0
    this.#told = 0
  }

  /** Lets go of the text. */
  leave(): void {
    this.enter('', true)
  }

  /** The next line that is not blank; undefined when there are no more. */
  next(): string | undefined {
    const text = this.#text
    let from = this.#at
    while (from < text.length) {
      const lf = text.indexOf('\n', from)
      this.#from = from
      this.#at = lf + 1
      this.#lines += 1
      const to = lf > from && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf
      const first = text.charCodeAt(from)
      if (to > from && ((first !== SPACE && first !== TAB) || !isBlank(text, from, to))) return text.slice(from, to)
      this.#blanks += 1
      from = lf + 1
    }
    return undefined
  }

  /** How many lines were passed since this was asked last. */
  tellLines(): number {
    const lines = this.#lines
    this.#lines = 0
    return lines
  }

  /** How many of them were blank. */
  tellBlanks(): number {
    const blanks = this.#blanks
    this.#blanks = 0
    return blanks
  }

  /** How many bytes lie before the line given last that were not told yet. */
  tellBytesBefore(): number {
    return this.#tellBytes(this.#from)
  }

  /** How many bytes were passed that were not told yet. */
  tellBytes(): number {
    return this.#tellBytes(this.#at)
  }

  #tellBytes(to: number): number {
    const from = this.#told
    if (to <= from) return 0
    this.#told = to
    return this.#isAscii ? to - from : Buffer.byteLength(this.#text.slice(from, to))
  }
}

function isBlank(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at)
    if (code !== SPACE && code !== TAB) return false
  }
  return true
}

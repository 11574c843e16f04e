// Plain lines cut from one string: most of the work per line is then done for thousands at once.

import type { RecordPlace, Run } from './cutter.ts'

const CR = 0x0d
const TAB = 0x09
const SPACE = 0x20

/** A line of a text: from one character up to another, exclusive. */
interface Span {
  readonly from: number
  readonly to: number
  readonly line: number
  readonly offset: number
}

/**
 * Cuts lines from one string in which nothing needs a closer look: valid UTF-8, no NUL, each line ended by LF and
 * within the limit. Drops one CR before an LF, and lines of only spaces and tabs.
 *
 * A line of 13 characters or more is a view of the string, which stays in memory as long as the line does.
 */
export class TextRun implements Run {
  readonly fault = undefined
  readonly #text: string
  /** Whether a character is a byte. */
  readonly #isAscii: boolean
  /** Where the text begins. */
  readonly #offset: number
  readonly #line: number
  /** Where the next line begins, in characters. */
  #at = 0
  /** Where the line returned last begins, in characters. */
  #from = 0
  /** Lines passed, including blank ones. */
  lines = 0
  blanks = 0
  /** A position and how many bytes precede it, so that they are not counted again. */
  #counted = 0
  #countedBytes = 0
  /** The lines of the text that are not blank, once somebody has asked for a position. */
  #spans: readonly Span[] | undefined

  constructor(text: string, isAscii: boolean, offset: number, line: number) {
    this.#text = text
    this.#isAscii = isAscii
    this.#offset = offset
    this.#line = line
  }

  get given(): number {
    return this.lines - this.blanks
  }

  get line(): number {
    return this.#line + this.lines - 1
  }

  get offset(): number {
    return this.#offset + this.#bytesTo(this.#from)
  }

  /** How many bytes were passed. */
  get bytes(): number {
    return this.#bytesTo(this.#at)
  }

  get isOver(): boolean {
    return this.#at === this.#text.length
  }

  next(): string | undefined {
    const text = this.#text
    let from = this.#at
    while (from < text.length) {
      const lf = text.indexOf('\n', from)
      this.#from = from
      this.#at = lf + 1
      this.lines += 1
      const to = lf > from && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf
      const first = text.charCodeAt(from)
      if (to > from && ((first !== SPACE && first !== TAB) || !isBlank(text, from, to))) return text.slice(from, to)
      this.blanks += 1
      from = lf + 1
    }
    return undefined
  }

  placeOf(index: number): RecordPlace {
    this.#spans ??= this.#find()
    const { from, to, line, offset } = this.#spans[index] as Span
    return { line, offset, raw: this.#text.slice(from, to) }
  }

  /** All lines that are not blank, found again from the beginning. */
  #find(): Span[] {
    const again = new TextRun(this.#text, this.#isAscii, this.#offset, this.#line)
    const spans: Span[] = []
    for (let text = again.next(); text !== undefined; text = again.next()) {
      const from = again.#from
      spans.push({ from, to: from + text.length, line: again.line, offset: again.offset })
    }
    return spans
  }

  #bytesTo(to: number): number {
    if (this.#isAscii) return to
    if (to < this.#counted) {
      this.#counted = 0
      this.#countedBytes = 0
    }
    this.#countedBytes += Buffer.byteLength(this.#text.slice(this.#counted, to))
    this.#counted = to
    return this.#countedBytes
  }
}

export function isBlank(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at)
    if (code !== SPACE && code !== TAB) return false
  }
  return true
}

// Positions of records that begin at lines: a record's line number determines where in the file it begins.

import type { Malformed } from '../records/raw.ts'
import { type Charset, CharsetDecoder, lineStarts } from './charset.ts'
import type { Places, Spot } from './places.ts'

const REPLACEMENT = '\ufffd'

/** Counts the lines of the file like the cutter of its text. */
export class LinePlaces implements Places {
  readonly #charset: Charset
  readonly #decoder: CharsetDecoder
  readonly #lineEnd: number
  readonly #malformed: Malformed
  /** Where lines begin in the file, from number `#firstLine` on, and the end of all bytes. */
  #starts: number[]
  #firstLine: number
  #end: number
  /** Numbers of lines with invalid bytes. */
  #malformedLines: number[] = []
  /** Which of them come next; those before it were returned. */
  #malformedAt = 0

  constructor(charset: Charset, lineEnd: number, malformed: Malformed, { line, offset }: Spot) {
    this.#charset = charset
    this.#decoder = new CharsetDecoder(charset)
    this.#lineEnd = lineEnd
    this.#malformed = malformed
    this.#firstLine = line
    this.#starts = [offset]
    this.#end = offset
  }

  textOf(bytes: Buffer, at: number, isWhole: boolean, next: Spot): { text: string; usedBytes: number } {
    this.#forget(next.line)
    const ends = [...lineStarts(bytes, this.#lineEnd, this.#charset)]
    const decoded = this.#decoder.decodeSound(bytes, isWhole) ?? this.#byLine(bytes, ends, isWhole)
    for (const end of ends) this.#starts.push(at + end)
    this.#end = at + bytes.length
    return decoded
  }

  of({ line }: Spot): number {
    return this.#starts[line - this.#firstLine] ?? this.#end
  }

  isMalformed({ line }: Spot, next: Spot): boolean {
    const lines = this.#malformedLines
    while (this.#malformedAt < lines.length && (lines[this.#malformedAt] as number) < line) this.#malformedAt += 1
    return (lines[this.#malformedAt] ?? Number.POSITIVE_INFINITY) < Math.max(next.line, line + 1)
  }

  lasting(): ((spot: Spot) => number) | undefined {
    if (this.#malformedAt < this.#malformedLines.length) return undefined
    const [starts, first, end] = [this.#starts, this.#firstLine, this.#end]
    return ({ line }) => starts[line - first] ?? end
  }

  /** The text of bytes some of which are invalid: the lines that contain those are remembered. */
  #byLine(bytes: Buffer, ends: readonly number[], isWhole: boolean): { text: string; usedBytes: number } {
    let text = ''
    let from = 0
    let usedBytes = 0
    for (const [place, end] of [...ends, bytes.length].entries()) {
      const line = this.#decoder.decode(bytes.subarray(from, end), place < ends.length || isWhole)
      if (line.isMalformed) this.#malformedLines.push(this.#firstLine + this.#starts.length - 1 + place)
      const isReplaced = line.isMalformed && this.#malformed === 'replace'
      text += isReplaced ? line.text.replace(/(?:\\x[0-9a-f]{2})+/g, REPLACEMENT) : line.text
      usedBytes = from + line.usedBytes
      from = end
    }
    return { text, usedBytes }
  }

  /** Forgets lines that were returned. */
  #forget(before: number): void {
    this.#malformedLines = this.#malformedLines.slice(this.#malformedAt)
    this.#malformedAt = 0
    const count = before - this.#firstLine
    if (count <= 0) return
    this.#starts = this.#starts.slice(count)
    this.#firstLine += count
  }
}

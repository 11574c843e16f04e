// Cuts records out of text that is not UTF-8: it becomes UTF-8 on the way, and places stay those of the file.

import type { SourceCounts } from '../source.ts'
import { type Charset, CharsetDecoder, lineStarts } from './charset.ts'
import type { Cutter, CutterStart, Line, RecordPlace, Run } from './cutter.ts'
import { judged, PushedBytes } from './pushed-bytes.ts'
import type { Malformed } from './raw.ts'

const REPLACEMENT = '\ufffd'

export interface EncodedCutterOptions extends CutterStart {
  readonly charset: Charset
  /** The byte that ends lines. */
  readonly lineEnd: number
  readonly malformed: Malformed
  /** Makes the cutter of what has become UTF-8. */
  readonly cut: (start: CutterStart) => Cutter
}

/**
 * A cutter over another one that takes UTF-8. Records begin where lines do, and lines are counted by both: the number of
 * a record's line tells where in the file it begins.
 */
export class EncodedCutter implements Cutter {
  readonly #inner: Cutter
  readonly #charset: Charset
  readonly #decoder: CharsetDecoder
  readonly #lineEnd: number
  readonly #malformed: Malformed
  readonly #until: number
  readonly #counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  /** Where lines begin in the file, from number `#firstLine` on. */
  #starts: number[]
  #firstLine: number
  /** Numbers of lines with bytes that are not text. */
  #malformedLines: number[] = []
  /** Which of them come next; those before it were given. */
  #malformedAt = 0
  readonly #pushed: PushedBytes
  /** Whether the next record is the rest of one that was given. */
  #isRest: boolean

  constructor(options: EncodedCutterOptions) {
    const { charset, lineEnd, malformed, cut, until, before, ...start } = options
    this.#charset = charset
    this.#decoder = new CharsetDecoder(charset)
    this.#lineEnd = lineEnd
    this.#malformed = malformed
    this.#until = until ?? Number.POSITIVE_INFINITY
    this.#pushed = new PushedBytes(start.offset ?? 0, before)
    this.#firstLine = start.line ?? 1
    this.#starts = [start.offset ?? 0]
    this.#isRest = start.isRest ?? false
    this.#inner = cut(start)
  }

  get counts(): Readonly<SourceCounts> {
    const { read, blank } = this.#inner.counts
    return { read, blank, invalidUtf8: this.#counts.invalidUtf8 }
  }

  get offset(): number {
    return this.#startOf(this.#inner.line)
  }

  get line(): number {
    return this.#inner.line
  }

  get isPartial(): boolean {
    return this.#inner.isPartial
  }

  get isOver(): boolean {
    return this.#inner.isOver || (!this.#isRest && this.offset >= this.#until)
  }

  lastBytes(): Buffer {
    return this.#pushed.lastBefore(this.offset)
  }

  push(block: Buffer): void {
    this.#forget()
    this.#pushed.push(block)
    this.#take(false)
  }

  end(): void {
    this.#take(true)
    this.#inner.end()
    // What follows a record without a line end is at the end of all.
    this.#starts.push(this.#pushed.end)
  }

  next(): Line | undefined {
    if (this.isOver) return undefined
    const found = this.#inner.next()
    if (found === undefined) {
      this.#pushed.keep(this.offset)
      return undefined
    }
    this.#isRest = false
    const line = { ...found, offset: this.#startOf(found.line) }
    return this.#isMalformed(found.line) ? this.#judged(line) : line
  }

  run(): Run | undefined {
    if (this.isOver || this.#isRest || this.#malformedAt < this.#malformedLines.length) return undefined
    const run = this.#inner.run()
    if (run === undefined) return undefined
    const [starts, first, end] = [this.#starts, this.#firstLine, this.#pushed.end]
    return new EncodedRun(
      run,
      (line) => starts[line - first] ?? end,
      () => this.isOver,
    )
  }

  #startOf(line: number): number {
    return this.#starts[line - this.#firstLine] ?? this.#pushed.end
  }

  /** Makes text of what is there, up to the last whole character. */
  #take(isWhole: boolean): void {
    const bytes = this.#pushed.left
    if (bytes.length === 0) return
    const begin = this.#pushed.usedTo
    const ends = [...lineStarts(bytes, this.#lineEnd, this.#charset)]
    const { text, usedBytes } = this.#decoder.decodeSound(bytes, isWhole) ?? this.#byLine(bytes, ends, isWhole)
    for (const end of ends) this.#starts.push(begin + end)
    this.#pushed.use(usedBytes)
    if (text !== '') this.#inner.push(Buffer.from(text))
  }

  /** The text of bytes some of which are not: the lines that those are in are remembered. */
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

  /** Whether a record that begins in a line, and ends before the inner cutter's next, has bytes that are not text. */
  #isMalformed(line: number): boolean {
    const lines = this.#malformedLines
    while (this.#malformedAt < lines.length && (lines[this.#malformedAt] as number) < line) this.#malformedAt += 1
    return (lines[this.#malformedAt] ?? Number.POSITIVE_INFINITY) < Math.max(this.#inner.line, line + 1)
  }

  #judged(line: Line): Line {
    this.#counts.invalidUtf8 += 1
    return judged(line, this.#malformed, this.#charset)
  }

  /** Lets go of lines that were given. */
  #forget(): void {
    this.#malformedLines = this.#malformedLines.slice(this.#malformedAt)
    this.#malformedAt = 0
    const count = this.#inner.line - this.#firstLine
    if (count <= 0) return
    this.#starts = this.#starts.slice(count)
    this.#firstLine += count
  }
}

/** Records of text that has become UTF-8, at their places in the file. */
class EncodedRun implements Run {
  readonly fault = undefined
  readonly #run: Run
  readonly #startOf: (line: number) => number
  readonly #isOver: () => boolean

  /** @param isOver - whether the next record is beyond what is to be given */
  constructor(run: Run, startOf: (line: number) => number, isOver: () => boolean) {
    this.#run = run
    this.#startOf = startOf
    this.#isOver = isOver
  }

  get given(): number {
    return this.#run.given
  }

  get line(): number {
    return this.#run.line
  }

  get offset(): number {
    return this.#startOf(this.line)
  }

  next(): string | undefined {
    return this.#isOver() ? undefined : this.#run.next()
  }

  placeOf(index: number): RecordPlace {
    const place = this.#run.placeOf(index)
    return { ...place, offset: this.#startOf(place.line) }
  }
}

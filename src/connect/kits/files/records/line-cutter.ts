// Cuts bytes into lines: a pure machine, the same lines however the bytes are split into blocks.

import { isAscii, isUtf8 } from 'node:buffer'
import { invariant } from '../../../../base/invariant.ts'
import type { SourceCounts } from '../../../source.ts'
import { type Cutter, type CutterStart, endOfLines, type Line, type LineBlock } from './cutter.ts'
import { faultOfLength, faultOfNul, faultOfRest } from './fault.ts'
import { firstText, lastBytes, markBytes, OpenLine } from './open-line.ts'
import { escapeBytes, escapeMalformed, type Malformed, malformedFault } from './raw.ts'
import { isBlank, TextRun } from './text-run.ts'

const LF = 0x0a
const CR = 0x0d
const NOTHING: Buffer = Buffer.alloc(0)
const NO_LINES: TextRun = new TextRun('', true, 0, 0)

/** The longest line that is accepted, unless an option says otherwise. */
export const MAX_LINE_BYTES: number = 1024 * 1024

/**
 * The most bytes that become one string, which is cut into lines: small enough for lines and bytes to stay in a core's
 * cache, and for a line that somebody keeps not to retain much else.
 */
const RUN_BYTES = 32 * 1024

export interface LineCutterOptions extends CutterStart {
  /** What happens to lines that are not UTF-8. `escape` by default. */
  readonly malformed?: Malformed
  /** Longest line in bytes, without its line end. {@link MAX_LINE_BYTES} by default. */
  readonly maxLineBytes?: number
}

/**
 * Cuts bytes into lines.
 *
 * - A line ends at LF; one CR before the LF is dropped, a lone CR is text. The last line may lack its LF.
 * - Lines of only spaces and tabs are counted as blank and not returned.
 * - A line that is not UTF-8 is counted, and becomes what `malformed` says.
 * - A line over `maxLineBytes` is returned once, with its first KiB as text and its length in the error; no more than
 *   `maxLineBytes` of it is held in memory. A line with a NUL byte is an error, too.
 *
 * Push a block, take lines until there are no more, push the next, report the end of input and take the rest.
 *
 * @example
 * const cutter = new LineCutter()
 * cutter.push(Buffer.from('GET /\r\n\nPO'))
 * cutter.next() // => { text: 'GET /', line: 1, offset: 0, fault: undefined }
 * cutter.next() // => undefined
 * cutter.end()
 * cutter.next() // => { text: 'PO', line: 3, offset: 8, fault: undefined }
 * cutter.counts // => { read: 3, blank: 1, invalidUtf8: 0 }
 */
export class LineCutter implements Cutter {
  readonly #maxLineBytes: number
  readonly #until: number
  readonly #fault: string | undefined
  readonly #malformed: Malformed
  /** Whole lines of the current block; a view, never read after the next push. */
  #region: Buffer = NOTHING
  /** Where in the region the next line begins. */
  #at = 0
  /** The line that was completed by the last push or end, and began before it: returned before the region. */
  #closed: OpenLine | undefined
  /** The incomplete line. */
  #open: OpenLine
  /** The bytes before the region. */
  #before: Buffer
  /** Offset of the next line. */
  #offset: number
  /** Number of the next line. */
  #line: number
  /** Whether the next line is a file's first. */
  #isFileStart: boolean
  /** Whether the next line is the rest of one already returned. */
  #isRest: boolean
  /** Whether the last line returned had no LF. */
  #isPartial: boolean
  /** Lines of the region; those taken are added to position and counts when the run is left. */
  #run: TextRun = NO_LINES
  /** Up to where in the region lines are not cut from one string, because one of them needs a closer look. */
  #oddTo = 0
  readonly #counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }

  constructor(options: LineCutterOptions = {}) {
    this.#maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES
    this.#until = options.until ?? Number.POSITIVE_INFINITY
    this.#fault = options.fault
    this.#malformed = options.malformed ?? 'escape'
    this.#open = new OpenLine(this.#maxLineBytes)
    this.#before = options.before ?? NOTHING
    this.#offset = options.offset ?? 0
    this.#line = options.line ?? 1
    this.#isFileStart = options.isFileStart ?? false
    this.#isRest = options.isRest ?? false
    this.#isPartial = this.#isRest
  }

  /** What became of the lines so far; blank ones are included once the line after them was requested. */
  get counts(): Readonly<SourceCounts> {
    const { read, blank, invalidUtf8 } = this.#counts
    return { read: read + this.#run.lines, blank: blank + this.#run.blanks, invalidUtf8 }
  }

  /** Offset of the next line. */
  get offset(): number {
    return this.#offset + this.#run.bytes
  }

  /** Number of the next line. */
  get line(): number {
    return this.#line + this.#run.lines
  }

  /** Whether the last line had no LF: what follows is its rest. */
  get isPartial(): boolean {
    return this.#isPartial
  }

  /** Whether no more lines will be returned, whatever is pushed. */
  get isOver(): boolean {
    // The offset is computed from the text that was passed: only if somebody needs it.
    return this.#until !== Number.POSITIVE_INFINITY && this.offset >= this.#until && !this.#isRest
  }

  /** Up to 256 bytes before `offset`. */
  lastBytes(): Buffer {
    return lastBytes(this.#before, this.#region.subarray(0, this.#at + this.#run.bytes))
  }

  /** Takes the next bytes; only when `next` has nothing more. They must not change until then. */
  push(block: Buffer): void {
    this.#leaveRegion()
    const end = block.lastIndexOf(LF) + 1
    if (end === 0) return this.#open.add(block)
    let from = 0
    if (this.#open.length > 0) {
      from = block.indexOf(LF) + 1
      this.#open.add(block.subarray(0, from))
      this.#closeLine()
    }
    if (from < end) this.#region = block.subarray(from, end)
    if (end < block.length) this.#open.add(block.subarray(end))
  }

  /** Says that there are no more bytes: the rest is a line. */
  end(): void {
    this.#leaveRegion()
    if (this.#open.length > 0) this.#closeLine()
  }

  /** Consecutive plain lines. */
  run(): TextRun | undefined {
    if (!this.#run.isOver) return this.#run
    this.#leaveRun()
    return this.#enterRun() ? this.#run : undefined
  }

  /** The next line; undefined when more bytes are needed. */
  next(): Line | undefined {
    this.#leaveRun()
    for (;;) {
      if (this.isOver) return undefined
      const closed = this.#closed
      if (closed !== undefined) {
        this.#closed = undefined
        const line = this.#cutClosed(closed)
        if (line !== undefined) return line
      } else if (this.#at < this.#region.length) {
        const line = this.#cutRegion()
        if (line !== undefined) return line
      } else {
        // Now, not with the next push: the block's memory may be reused before that.
        this.#leaveRegion()
        return undefined
      }
    }
  }

  /** Whole lines of the region. */
  block(): LineBlock | undefined {
    this.#leaveRun()
    const from = this.#at
    const to = this.#isBetweenLines ? this.#endWithin(Number.POSITIVE_INFINITY) : from
    return to === from ? undefined : { bytes: this.#region, from, to }
  }

  pass(to: number, lines: number): void {
    this.#offset += to - this.#at
    this.#at = to
    this.#line += lines
    this.#counts.read += lines
    this.#isPartial = false
  }

  /** Whether the next line is one of the region, and nothing else than its own bytes can make it invalid. */
  get #isBetweenLines(): boolean {
    if (this.isOver || this.#closed !== undefined) return false
    return !this.#isFileStart && !this.#isRest && this.#fault === undefined
  }

  /** Makes one string of as many lines of the region as possible; false if the next line does not qualify. */
  #enterRun(): boolean {
    if (!this.#isBetweenLines) return false
    const from = this.#at
    if (from < this.#oddTo) return false
    const to = this.#endWithin(RUN_BYTES)
    if (to === from) return false
    const bytes = this.#region.subarray(from, to)
    const isPlain = isAscii(bytes)
    if (bytes.includes(0) || !(isPlain || isUtf8(bytes))) {
      this.#oddTo = to
      return false
    }
    // ASCII is the same in both, and latin1 is copied without inspecting its bytes.
    const text = bytes.toString(isPlain ? 'latin1' : 'utf8')
    this.#run = new TextRun(text, isPlain, this.#offset, this.#line)
    this.#isPartial = false
    return true
  }

  /** The end of whole lines from the next one on that are certainly within the limit, and before the end of the range. */
  #endWithin(mostBytes: number): number {
    const until = this.#at + this.#until - this.#offset
    return endOfLines(this.#region, this.#at, LF, Math.min(mostBytes, this.#maxLineBytes), until)
  }

  /** Returns the rest of the run to the region. */
  #leaveRun(): void {
    const { bytes, lines, blanks } = this.#run
    this.#at += bytes
    this.#offset += bytes
    this.#line += lines
    this.#counts.read += lines
    this.#counts.blank += blanks
    this.#run = NO_LINES
  }

  #leaveRegion(): void {
    this.#leaveRun()
    this.#oddTo = 0
    invariant(this.#closed === undefined && this.#at === this.#region.length, 'bytes were pushed while lines were left')
    if (this.#at > 0) this.#before = this.lastBytes()
    this.#region = NOTHING
    this.#at = 0
  }

  #closeLine(): void {
    this.#closed = this.#open
    this.#open = new OpenLine(this.#maxLineBytes)
  }

  #cutClosed(closed: OpenLine): Line | undefined {
    const bytes = closed.bytes()
    const textBytes = closed.textBytes
    this.#isPartial = textBytes === closed.length
    const line = this.#makeSlowly(bytes, textBytes)
    this.#pass(closed.length)
    this.#before = lastBytes(this.#before, closed.last)
    return line
  }

  #cutRegion(): Line | undefined {
    const region = this.#region
    const from = this.#at
    const lf = region.indexOf(LF, from)
    const to = lf > from && region[lf - 1] === CR ? lf - 1 : lf
    this.#isPartial = false
    const line = this.#makeSlowly(region.subarray(from, to), to - from)
    this.#at = lf + 1
    this.#pass(lf + 1 - from)
    return line
  }

  /** A line with every possible error; `bytes` may be longer than its text or, over the limit, shorter. */
  #makeSlowly(bytes: Buffer, textBytes: number): Line | undefined {
    const isRest = this.#isRest
    // Only the line end of a line that was returned before: neither a record nor a blank.
    if (isRest && textBytes === 0) return undefined
    this.#counts.read += 1
    const { text, raw, isMalformed } = this.#textOf(bytes, textBytes)
    const fault =
      this.#faultOf(text, textBytes, isRest) ?? (isMalformed ? malformedFault(raw ?? '', 'UTF-8') : undefined)
    if (fault === undefined && isBlank(text, 0, text.length)) {
      this.#counts.blank += 1
      return undefined
    }
    const line: Line = { text, line: this.#line, offset: this.#offset, fault }
    return raw === undefined ? line : { ...line, raw }
  }

  /** The text of a line, its bytes escaped if it has lost some, and whether it is rejected for them. */
  #textOf(bytes: Buffer, textBytes: number): { text: string; raw?: string; isMalformed?: boolean } {
    const from = this.#isFileStart ? markBytes(bytes) : 0
    if (textBytes > this.#maxLineBytes) return firstText(bytes.subarray(from, textBytes))
    const text = bytes.subarray(from, textBytes)
    if (isUtf8(text)) return { text: text.toString('utf8') }
    this.#counts.invalidUtf8 += 1
    const raw = escapeBytes(text)
    if (this.#malformed === 'escape') return { text: escapeMalformed(text), raw }
    return { text: text.toString('utf8'), raw, isMalformed: this.#malformed === 'reject' }
  }

  #faultOf(text: string, textBytes: number, isRest: boolean): string | undefined {
    const fault = this.#fault ?? faultOfLength('line', textBytes, this.#maxLineBytes)
    return fault ?? (isRest ? faultOfRest('line') : faultOfNul(text))
  }

  #pass(bytes: number): void {
    this.#offset += bytes
    this.#line += 1
    this.#isFileStart = false
    this.#isRest = false
  }
}

// Cuts bytes into records whose ends depend on their grammar: CSV with line ends in quotes, elements of JSON.

import { isAscii, isUtf8 } from 'node:buffer'
import type { SourceCounts } from '../../../source.ts'
import { corruptContent } from '../errors.ts'
import { type Cutter, type CutterStart, endOfLines, type Line, type LineBlock } from './cutter.ts'
import { faultOfLength, faultOfNul, faultOfRest } from './fault.ts'
import { firstText, KEPT_BYTES, lastBytes } from './open-line.ts'
import { escapeBytes, escapeMalformed, type Malformed, malformedFault } from './raw.ts'
import { RecordRun } from './record-run.ts'

const NOTHING: Buffer = Buffer.alloc(0)

/** The longest record that is accepted, unless an option says otherwise. */
export const MAX_RECORD_BYTES: number = 1024 * 1024

/** A grammar that finds where records begin and end. It keeps its state from one call to the next. */
export interface RecordEnds {
  /** The byte that ends lines, for line numbers. */
  readonly lineEnd: number
  /** The name of a record: `record`. */
  readonly noun: string
  /** Whether no more records will come, and the rest is ignored. */
  readonly isOver: boolean
  /** Found where no record can begin: nothing after it can be read. Undefined for nearly all. */
  readonly broken: string | undefined
  /**
   * Where the next record begins, from `at` on: bytes before it belong to no record. `bytes.length` if not in these
   * bytes.
   */
  begin(bytes: Buffer, at: number): number
  /**
   * The index after the record that begins at `from`, including its line end; -1 if it is not in these bytes. The bytes
   * before `at` were examined by an earlier call, and `from` is no longer meaningful for a record over the limit.
   */
  find(bytes: Buffer, from: number, at: number): number
  /** As `find`, when there are no more bytes and that returned -1. */
  finish(bytes: Buffer, from: number): number
  /** Whether the record found last may contain line ends. */
  readonly spansLines: boolean
  /** Where the text of a record ends, without its line end. */
  textEnd(bytes: Buffer, from: number, to: number): number
  /** Whether this is not a record: an empty line, a comment. */
  isBlank(bytes: Buffer, from: number, textEnd: number): boolean
  /** What is missing at the end of content; undefined if it may end there. */
  missing(): string | undefined
}

export interface RecordCutterOptions extends CutterStart {
  /** The file, for errors. */
  readonly path: string
  readonly ends: RecordEnds
  /** Longest record in bytes, without its line end. */
  readonly maxRecordBytes: number
  /** What happens to records that are not UTF-8. */
  readonly malformed: Malformed
}

/**
 * Cuts bytes into the records of a grammar.
 *
 * The uncut bytes are contiguous, so that a grammar never sees the boundary of two blocks:
 *
 * ```
 * ... | returned     | the open record, copied | the block pushed last | ^ #at                     ^ #seen
 * ```
 *
 * A record that is not UTF-8 is counted, and becomes what `malformed` says; one with a NUL byte, or over the limit, is
 * an error. No more than the limit is held of a record over it.
 */
export class RecordCutter implements Cutter {
  readonly #ends: RecordEnds
  readonly #path: string
  readonly #maxBytes: number
  readonly #until: number
  readonly #fault: string | undefined
  readonly #malformed: Malformed
  /** The uncut bytes, and what was already cut from the block among them. */
  #bytes: Buffer = NOTHING
  /** Our own memory: the caller may reuse the block's. */
  #own: Buffer = NOTHING
  /** Offset of the first of `#bytes`. */
  #origin: number
  /** Where the next record begins, or is searched for. */
  #at = 0
  /** Up to where the grammar has looked. */
  #seen = 0
  /** Whether the grammar has found the first byte of the next record. */
  #hasBegun = false
  /** Whether that record ends at `#seen`. */
  #hasFound = false
  /** Number of the line at `#at`. */
  #lineAtHere: number
  /** The next line end from `#at` found so far; past all bytes if there is no more. */
  #lineEndAt = 0
  /** What was dropped of a record over the limit; its first bytes are in `#kept`. */
  #dropped = 0
  #droppedLines = 0
  #kept: Buffer | undefined
  /** The bytes before `#bytes`. */
  #before: Buffer
  /** The bytes before `offset`, once they are no longer available. */
  #passed: Buffer
  /** The position after the record returned last. */
  #offset: number
  #line: number
  /** Whether nothing in `#bytes` needs a closer look. */
  #isPlain = true
  #hasAll = false
  #isRest: boolean
  #isPartial: boolean
  /** Where the record returned last began. */
  #lastOffset = 0
  #lastLine = 0
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }

  constructor(options: RecordCutterOptions) {
    this.#ends = options.ends
    this.#path = options.path
    this.#maxBytes = options.maxRecordBytes
    this.#until = options.until ?? Number.POSITIVE_INFINITY
    this.#fault = options.fault
    this.#malformed = options.malformed
    this.#origin = options.offset ?? 0
    this.#offset = this.#origin
    this.#line = options.line ?? 1
    this.#lineAtHere = this.#line
    this.#before = options.before ?? NOTHING
    this.#passed = this.#before
    this.#isRest = options.isRest ?? false
    this.#isPartial = this.#isRest
  }

  get offset(): number {
    return this.#offset
  }

  get line(): number {
    return this.#line
  }

  get isPartial(): boolean {
    return this.#isPartial
  }

  get isOver(): boolean {
    return this.#ends.isOver || (this.#offset >= this.#until && !this.#isRest)
  }

  lastBytes(): Buffer {
    const passed = this.#offset - this.#origin
    return passed < 0 ? this.#passed : lastBytes(this.#before, this.#bytes.subarray(0, passed))
  }

  push(block: Buffer): void {
    this.#refuseBroken()
    const rest = this.#bytes.length - this.#at
    // A view of its own, so that a grammar can tell it from earlier content of the same memory.
    this.#bytes = rest === 0 ? block.subarray() : this.#append(block)
    const isPlain = isAscii(block) && !block.includes(0)
    this.#isPlain = rest === 0 ? isPlain : this.#isPlain && isPlain
    this.#lineEndAt = this.#at
  }

  end(): void {
    this.#refuseBroken()
    const missing = this.#ends.missing()
    if (missing !== undefined) throw corruptContent(this.#path, this.#origin + this.#bytes.length, missing)
    this.#hasAll = true
  }

  next(): Line | undefined {
    while (this.#findNext()) {
      const line = this.#cut()
      if (line !== undefined) return line
    }
    return undefined
  }

  run(): RecordRun | undefined {
    return this.#hasPlain() ? new RecordRun(this) : undefined
  }

  /** Whole lines; whether each is a record is for the reader of the block to see. */
  block(): LineBlock | undefined {
    if (this.isOver || this.#hasBegun || this.#hasAll || this.#isRest || this.#fault !== undefined) return undefined
    const from = this.#at
    const until = this.#until - this.#origin
    const to = endOfLines(this.#bytes, from, this.#ends.lineEnd, this.#maxBytes, until)
    return to === from ? undefined : { bytes: this.#bytes, from, to }
  }

  pass(to: number, lines: number): void {
    this.#at = to
    this.#seen = to
    this.#offset = this.#origin + to
    this.#lineAtHere += lines
    this.#line = this.#lineAtHere
    this.#isPartial = false
    this.counts.read += lines
  }

  /** The text of the next record of a run; undefined if that needs a closer look, or more bytes. */
  nextText(): string | undefined {
    while (this.#hasPlain()) {
      const from = this.#at
      const end = this.#seen
      const textEnd = this.#ends.textEnd(this.#bytes, from, end)
      this.counts.read += 1
      const isBlank = this.#ends.isBlank(this.#bytes, from, textEnd)
      this.#pass(end)
      if (!isBlank) return this.#bytes.toString('latin1', from, textEnd)
      this.counts.blank += 1
    }
    return undefined
  }

  get lastOffset(): number {
    return this.#lastOffset
  }

  get lastLine(): number {
    return this.#lastLine
  }

  /** Finds the next record; false if it may not be a plain one. */
  #hasPlain(): boolean {
    if (!this.#isPlain || this.#hasAll || this.#isRest || this.#fault !== undefined) return false
    if (!this.#findNext() || this.#dropped > 0) return false
    return this.#ends.textEnd(this.#bytes, this.#at, this.#seen) - this.#at <= this.#maxBytes
  }

  /** Finds the next record: from `#at` to `#seen`. False if there is no record in these bytes. */
  #findNext(): boolean {
    const ends = this.#ends
    if (this.isOver || ends.broken !== undefined) return false
    // Already found, and not cut: another way of returning it was tried.
    if (this.#hasBegun && this.#hasFound) return true
    if (!this.#hasBegun) {
      const from = ends.begin(this.#bytes, this.#at)
      this.#lineAtHere += this.#countLines(from)
      this.#at = from
      this.#seen = from
      this.#hasBegun = from < this.#bytes.length
      if (!this.#hasBegun || ends.broken !== undefined) return this.#keep()
    }
    let end = ends.find(this.#bytes, this.#at, this.#seen)
    if (end === -1 && this.#hasAll) end = ends.finish(this.#bytes, this.#at)
    if (end === -1) return this.#keep()
    this.#seen = end
    this.#hasFound = true
    return true
  }

  /** The record that was found. Undefined if it is not a record. */
  #cut(): Line | undefined {
    const from = this.#at
    const end = this.#seen
    const bytes = this.#bytes
    const textEnd = this.#ends.textEnd(bytes, from, end)
    const length = this.#dropped + textEnd - from
    const isRest = this.#isRest
    const kept = this.#kept
    const isOpen = this.#hasAll && end === bytes.length && textEnd === end
    this.#pass(end)
    this.#isPartial = isOpen
    if (isOpen) this.#line = this.#lineAtHere += 1
    // Only the line end of a record that was returned before: neither a record nor a blank.
    if (isRest && length === 0) return undefined
    this.counts.read += 1
    const fault =
      this.#fault ?? (isRest ? faultOfRest('record') : faultOfLength(this.#ends.noun, length, this.#maxBytes))
    if (kept !== undefined || length > this.#maxBytes)
      return { ...this.#recordOf('', fault), ...firstText(kept ?? bytes.subarray(from, textEnd)) }
    if (fault === undefined && this.#ends.isBlank(bytes, from, textEnd)) {
      this.counts.blank += 1
      return undefined
    }
    if (this.#isPlain) return this.#recordOf(bytes.toString('latin1', from, textEnd), fault)
    return this.#lookClosely(bytes.subarray(from, textEnd), fault)
  }

  #recordOf(text: string, fault: string | undefined): Line {
    return { text, line: this.#lastLine, offset: this.#lastOffset, fault }
  }

  /** A record that may contain invalid bytes. */
  #lookClosely(bytes: Buffer, fault: string | undefined): Line {
    const isText = isUtf8(bytes)
    const text = isText || this.#malformed !== 'escape' ? bytes.toString('utf8') : escapeMalformed(bytes)
    const line = this.#recordOf(text, fault ?? faultOfNul(text))
    if (isText) return line
    this.counts.invalidUtf8 += 1
    const raw = escapeBytes(bytes)
    if (this.#malformed !== 'reject') return { ...line, raw }
    return { ...line, raw, fault: line.fault ?? malformedFault(raw, 'UTF-8') }
  }

  #pass(end: number): void {
    this.#lastOffset = this.#origin + this.#at - this.#dropped
    this.#lastLine = this.#lineAtHere - this.#droppedLines
    this.#lineAtHere += this.#ends.spansLines
      ? this.#countLines(end)
      : this.#bytes[end - 1] === this.#ends.lineEnd
        ? 1
        : 0
    this.#at = end
    this.#offset = this.#origin + end
    this.#line = this.#lineAtHere
    this.#hasBegun = false
    this.#hasFound = false
    this.#isRest = false
    this.#isPartial = false
    this.#dropped = 0
    this.#droppedLines = 0
    this.#kept = undefined
  }

  /** How many lines end from `#at` up to `to`. */
  #countLines(to: number): number {
    const { lineEnd } = this.#ends
    let count = 0
    if (this.#lineEndAt < this.#at) this.#lineEndAt = this.#at
    for (let at = this.#lineEndAt; at < to; ) {
      const found = this.#bytes.indexOf(lineEnd, at)
      this.#lineEndAt = found === -1 ? this.#bytes.length : found
      if (this.#lineEndAt >= to) break
      count += 1
      at = this.#lineEndAt + 1
      this.#lineEndAt = at
    }
    return count
  }

  /** Copies the open record from the block to our own memory, or drops what is over the limit. Always false. */
  #keep(): false {
    const passed = this.#offset - this.#origin
    if (passed >= 0) this.#passed = this.lastBytes()
    if (this.#dropped > 0 || this.#bytes.length - this.#at > Math.max(this.#maxBytes, KEPT_BYTES) + 2) this.#drop()
    this.#before = lastBytes(this.#before, this.#bytes.subarray(0, this.#at))
    this.#origin += this.#at
    const rest = this.#bytes.subarray(this.#at)
    this.#at = 0
    this.#seen = rest.length
    this.#lineEndAt = 0
    this.#bytes = rest.length === 0 ? NOTHING : this.#isOurs(rest) ? rest : this.#copy(rest, 0)
    return false
  }

  /** All but the last byte, which may be the first half of a line end. */
  #drop(): void {
    const to = this.#bytes.length - 1
    this.#kept ??= Buffer.from(this.#bytes.subarray(this.#at, this.#at + KEPT_BYTES))
    const lines = this.#countLines(to)
    this.#lineAtHere += lines
    this.#droppedLines += lines
    this.#dropped += to - this.#at
    this.#at = to
  }

  #isOurs(bytes: Buffer): boolean {
    return bytes.buffer === this.#own.buffer && this.#own.length > 0
  }

  /** The open record, followed by a block. */
  #append(block: Buffer): Buffer {
    const open = this.#bytes
    const from = open.byteOffset - this.#own.byteOffset
    const length = open.length + block.length
    if (from + length > this.#own.length) return this.#copy(open, block.length, block)
    block.copy(this.#own, from + open.length)
    return this.#own.subarray(from, from + length)
  }

  /** Bytes at the beginning of our own memory, with room after them. */
  #copy(open: Buffer, more: number, block: Buffer = NOTHING): Buffer {
    const length = open.length + more
    const memory = length <= this.#own.length ? this.#own : Buffer.allocUnsafeSlow(2 * length)
    open.copy(memory)
    block.copy(memory, open.length)
    this.#own = memory
    return memory.subarray(0, length)
  }

  #refuseBroken(): void {
    const { broken } = this.#ends
    if (broken !== undefined) throw corruptContent(this.#path, this.#origin + this.#at, broken)
  }
}

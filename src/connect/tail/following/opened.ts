// An open file of a tail: its bytes become lines, as far as there are any.

import type { ReadBatch } from '../../batch.ts'
import type { LineFormat, ParseLine } from '../../format.ts'
import type { Charset } from '../../kits/files/characters/charset.ts'
import { EncodedCutter } from '../../kits/files/characters/encoded-cutter.ts'
import { utf8Of } from '../../kits/files/characters/encoded-records.ts'
import { type Fingerprint, fingerprintOf, HEAD_BYTES } from '../../kits/files/identity.ts'
import type { Cutter, CutterStart } from '../../kits/files/records/cutter.ts'
import { headLines } from '../../kits/files/records/head-lines.ts'
import { LineCutter } from '../../kits/files/records/line-cutter.ts'
import type { Malformed } from '../../kits/files/records/raw.ts'
import { RecordParser } from '../../kits/files/records/record-parser.ts'
import type { SourceCounts } from '../../source.ts'
import type { Place } from './place.ts'
import { prefixHashOf, stepsWithin } from './prefix-hash.ts'

/**
 * The result of reading on:
 *
 * - `more`: bytes came, and more may follow at once.
 * - `end`: there is no more now, whether any came or not.
 * - `replaced`: what was read before is no longer in the file.
 */
export type Fill = 'more' | 'end' | 'replaced'

const LF = 0x0a

/** An open file that can be read on. One call at a time; lines are taken before the next `fill`. */
export interface Opened<T> {
  readonly lines: TailLines<T>
  fill(): Promise<Fill>
  /** Whether the file may still be found under some name. */
  isLinked(): Promise<boolean>
  close(): Promise<void>
}

/** How the bytes of files become text. */
export interface TailText {
  /** Undefined for UTF-8. */
  readonly charset: Charset | undefined
  readonly malformed: Malformed
}

export interface TailLinesOptions<T> {
  readonly text: TailText
  readonly format: LineFormat<T>
  readonly maxLineBytes: number
  /** The source of origins. */
  readonly source: string
  readonly place: Place
  /** The bytes before the position. */
  readonly before: Buffer
  /** The content's first bytes, as far as they are known. */
  readonly head: Buffer
}

/** The lines of one followed file, and the position up to which they were returned. */
export class TailLines<T> {
  readonly #options: TailLinesOptions<T>
  /** The first bytes of the content, up to 4 KiB. */
  #head: Buffer
  /** Made with the first bytes, which show whether they are text. */
  #cutter: Cutter | undefined
  /** Made with the first whole line. */
  #parse: ParseLine<T> | undefined
  #records: RecordParser<T> | undefined
  /** Where the first line begins, if not at the position. */
  #start: { readonly offset: number; readonly before: Buffer } | undefined
  /** The counts reported already. */
  #told: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  /** The sketch as it was last made, with its number of samples. */
  #prefixHash: { readonly samples: number; readonly text: string } | undefined

  constructor(options: TailLinesOptions<T>) {
    this.#options = options
    this.#head = options.head
  }

  /** Whether the format is yet to be opened. */
  get needsFormat(): boolean {
    return this.#parse === undefined
  }

  /** Lines begin only at `offset`, after leading NUL bytes. Called before anything is pushed. */
  skipTo(offset: number, before: Buffer): void {
    this.#head = Buffer.alloc(Math.min(offset, HEAD_BYTES))
    this.#start = { offset, before }
  }

  /** Takes the content's next bytes, which begin at `at`; they must not change until all lines were taken. */
  push(bytes: Buffer, at: number): void {
    if (at < HEAD_BYTES) {
      // What was read counts, not what was there when the file was opened.
      this.#head = Buffer.concat([this.#head.subarray(0, at), bytes.subarray(0, HEAD_BYTES - at)])
    }
    this.#cutter ??= this.#cut()
    this.#cutter.push(bytes)
  }

  /** Says that no more will come: the rest is a line. */
  end(): void {
    this.#cutter?.end()
  }

  /**
   * Opens the format.
   *
   * @param head - the file's first bytes, read when the format asks for them
   * @param isWhole - whether they are all of the file
   */
  prepare(head: () => Buffer, isWhole: (head: Buffer) => boolean): void {
    const { format, maxLineBytes, text } = this.#options
    this.#parse = format.open(() => {
      const bytes = head()
      return headLines(utf8Of(bytes, isWhole(bytes), text.charset), isWhole(bytes), maxLineBytes)
    })
  }

  /** Up to `max` of the complete records. */
  take(max: number): ReadBatch<T> | undefined {
    const { format, source, place } = this.#options
    const [cutter, parse] = [this.#cutter, this.#parse]
    if (cutter === undefined || parse === undefined) return undefined
    const numberOf = place.line > 0 ? undefined : () => 0
    this.#records ??= new RecordParser({ source, step: format.name, parse, cutter, numberOf })
    return this.#records.take(max)
  }

  /** The counts since the last call. */
  tellCounts(): SourceCounts {
    const { read, blank, invalidUtf8 } = this.#cutter?.counts ?? this.#told
    const told = this.#told
    this.#told = { read, blank, invalidUtf8 }
    return { read: read - told.read, blank: blank - told.blank, invalidUtf8: invalidUtf8 - told.invalidUtf8 }
  }

  /** What is known of the file from what was read of it, up to the last line taken. */
  reached(): Pick<Place, 'prefixHash' | 'tail' | 'offset' | 'line' | 'isPartial'> {
    const cutter = this.#cutter
    const { place } = this.#options
    if (cutter === undefined) return place
    const { offset, line, isPartial } = cutter
    const tail: Fingerprint = fingerprintOf(cutter.lastBytes())
    return { prefixHash: this.#sketchTo(offset), tail, offset, line: place.line > 0 ? line : 0, isPartial }
  }

  #cut(): Cutter {
    const { place, maxLineBytes, text } = this.#options
    const { charset, malformed } = text
    const { line, isPartial } = place
    const { offset, before } = this.#start ?? { offset: place.offset, before: this.#options.before }
    const start = { offset, line: isPartial ? line - 1 : line, isFileStart: offset === 0, isRest: isPartial, before }
    const cut = (from: CutterStart): Cutter => new LineCutter({ ...from, maxLineBytes, malformed })
    return charset === undefined ? cut(start) : new EncodedCutter({ ...start, charset, lineEnd: LF, malformed, cut })
  }

  #sketchTo(offset: number): string {
    const bytes = Math.min(offset, this.#head.length)
    const samples = stepsWithin(bytes)
    if (this.#prefixHash?.samples !== samples) {
      this.#prefixHash = { samples, text: prefixHashOf(this.#head.subarray(0, bytes)) }
    }
    return this.#prefixHash.text
  }
}

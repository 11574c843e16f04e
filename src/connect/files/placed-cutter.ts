// Cuts records that begin anywhere in a line out of text that is not UTF-8: places stay those of the file.

import { isSluiceError } from '../../base/errors.ts'
import type { SourceCounts } from '../source.ts'
import { type Charset, CharsetDecoder } from './charset.ts'
import type { Cutter, CutterStart, Line } from './cutter.ts'
import { judged, PushedBytes } from './pushed-bytes.ts'
import type { Malformed } from './raw.ts'
import { corruptContent } from './trouble.ts'
import { Widths } from './widths.ts'

export interface PlacedCutterOptions extends CutterStart {
  readonly charset: Charset
  readonly malformed: Malformed
  /** Makes the cutter of what has become UTF-8. */
  readonly cut: (start: CutterStart) => Cutter
}

/**
 * A cutter over another one that takes UTF-8, whose places are counted back to those of the file, character by character.
 * {@link EncodedCutter} needs less time, for records that begin where lines do.
 */
export class PlacedCutter implements Cutter {
  readonly #inner: Cutter
  readonly #decoder: CharsetDecoder
  readonly #charset: Charset
  readonly #malformed: Malformed
  readonly #counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  readonly #widths: Widths
  /** Places in the text of bytes that are not, those first that come next. */
  #malformedAt: number[] = []
  readonly #pushed: PushedBytes

  constructor({ charset, malformed, cut, before, ...start }: PlacedCutterOptions) {
    this.#charset = charset
    this.#decoder = new CharsetDecoder(charset)
    this.#malformed = malformed
    this.#pushed = new PushedBytes(start.offset ?? 0, before)
    this.#widths = new Widths(start.offset ?? 0)
    this.#inner = cut({ ...start, offset: 0 })
  }

  get counts(): Readonly<SourceCounts> {
    const { read, blank } = this.#inner.counts
    return { read, blank, invalidUtf8: this.#counts.invalidUtf8 }
  }

  get offset(): number {
    return this.#widths.placeOf(this.#inner.offset)
  }

  get line(): number {
    return this.#inner.line
  }

  get isPartial(): boolean {
    return this.#inner.isPartial
  }

  get isOver(): boolean {
    return this.#inner.isOver
  }

  lastBytes(): Buffer {
    return this.#pushed.lastBefore(this.offset)
  }

  push(block: Buffer): void {
    this.#pushed.push(block)
    this.#take(false)
  }

  end(): void {
    this.#take(true)
    this.#inFile(() => this.#inner.end())
  }

  next(): Line | undefined {
    const found = this.#inner.next()
    if (found === undefined) {
      this.#pushed.keep(this.offset)
      return undefined
    }
    const line = { ...found, offset: this.#widths.placeOf(found.offset) }
    return this.#hasMalformed(found.offset, this.#inner.offset) ? this.#judged(line) : line
  }

  /** None: the place of each record is counted as it is given. */
  run(): undefined {
    return undefined
  }

  /** Makes text of what is there, up to the last whole character. */
  #take(isWhole: boolean): void {
    const bytes = this.#pushed.left
    if (bytes.length === 0) return
    const { text, widths, malformedAt, usedBytes } = this.#decoder.measure(
      bytes,
      isWhole,
      this.#malformed === 'replace',
    )
    const utf8 = Buffer.from(text)
    const from = this.#widths.add(utf8, widths)
    for (const at of malformedAt) this.#malformedAt.push(from + at)
    this.#pushed.use(usedBytes)
    if (text !== '') this.#inFile(() => this.#inner.push(utf8))
  }

  /** Errors name the byte of the file. */
  #inFile(act: () => void): void {
    try {
      act()
    } catch (thrown) {
      if (!isSluiceError(thrown, 'SOURCE_CORRUPT')) throw thrown
      const { source, offset, found } = thrown.details
      throw corruptContent(source, this.#widths.placeOf(offset), found)
    }
  }

  #hasMalformed(from: number, to: number): boolean {
    const all = this.#malformedAt
    while (all.length > 0 && (all[0] as number) < from) all.shift()
    return (all[0] ?? Number.POSITIVE_INFINITY) < to
  }

  #judged(line: Line): Line {
    this.#counts.invalidUtf8 += 1
    return judged(line, this.#malformed, this.#charset)
  }
}

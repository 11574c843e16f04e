// Cuts records from text that is not UTF-8: it is converted to UTF-8 on the way, and positions stay those of the file.

import { isSluiceError } from '../../../../base/errors.ts'
import type { SourceCounts } from '../../../source.ts'
import { PushedBytes } from '../bytes/pushed-bytes.ts'
import { corruptContent } from '../errors.ts'
import type { Cutter, CutterStart, Line, Run } from '../records/cutter.ts'
import { type Malformed, malformedFault, rawOfEscaped } from '../records/raw.ts'
import { type Charset, CharsetDecoder } from './charset.ts'
import { LinePlaces } from './line-places.ts'
import type { Places, Spot } from './places.ts'
import { Widths } from './widths.ts'

export interface EncodedCutterOptions extends CutterStart {
  readonly charset: Charset
  /** The byte that ends lines. */
  readonly lineEnd: number
  readonly malformed: Malformed
  /** Set if records may begin anywhere in a line. */
  readonly beginsInLines?: true | undefined
  /** Makes the cutter of the converted text. */
  readonly cut: (start: CutterStart) => Cutter
}

/** A cutter over another one that takes UTF-8. That one counts lines; offsets are those of the file. */
export class EncodedCutter implements Cutter {
  readonly #inner: Cutter
  readonly #places: Places
  readonly #charset: Charset
  readonly #malformed: Malformed
  readonly #until: number
  #invalidUtf8 = 0
  readonly #pushed: PushedBytes
  /** Whether the next record is the rest of one already returned. */
  #isRest: boolean

  constructor(options: EncodedCutterOptions) {
    const { charset, lineEnd, malformed, beginsInLines, cut, until, before, ...start } = options
    const { offset = 0, line = 1, isRest = false } = start
    this.#charset = charset
    this.#malformed = malformed
    this.#until = until ?? Number.POSITIVE_INFINITY
    this.#pushed = new PushedBytes(offset, before)
    this.#isRest = isRest
    this.#places =
      beginsInLines === true
        ? new CharacterPlaces(charset, malformed, offset)
        : new LinePlaces(charset, lineEnd, malformed, { line, offset })
    this.#inner = cut({ ...start, offset: 0 })
  }

  get counts(): Readonly<SourceCounts> {
    const { read, blank } = this.#inner.counts
    return { read, blank, invalidUtf8: this.#invalidUtf8 }
  }

  get offset(): number {
    return this.#places.of(this.#inner)
  }

  get line(): number {
    return this.#inner.line
  }

  get isPartial(): boolean {
    return this.#inner.isPartial
  }

  get isOver(): boolean {
    const isBounded = this.#until !== Number.POSITIVE_INFINITY && !this.#isRest
    return this.#inner.isOver || (isBounded && this.offset >= this.#until)
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
    if (this.isOver) return undefined
    const found = this.#inner.next()
    if (found === undefined) {
      this.#pushed.keep(this.offset)
      return undefined
    }
    this.#isRest = false
    const line = { ...found, offset: this.#places.of(found) }
    return this.#places.isMalformed(found, this.#inner) ? this.#judged(line) : line
  }

  run(): Run | undefined {
    if (this.isOver || this.#isRest) return undefined
    const placeOf = this.#places.lasting?.()
    const run = placeOf && this.#inner.run()
    return run && placedRun(run, placeOf, () => this.isOver)
  }

  /** Decodes what is there, up to the last whole character. */
  #take(isWhole: boolean): void {
    const { left, usedTo } = this.#pushed
    const { text, usedBytes } = this.#places.textOf(left, usedTo, isWhole, this.#inner)
    this.#pushed.use(usedBytes)
    if (text !== '') this.#inFile(() => this.#inner.push(Buffer.from(text)))
  }

  /** Errors name the byte of the file. */
  #inFile(act: () => void): void {
    try {
      act()
    } catch (thrown) {
      if (!isSluiceError(thrown, 'SOURCE_CORRUPT')) throw thrown
      const { source, offset, found } = thrown.details
      throw corruptContent(source, this.#places.of({ line: this.#inner.line, offset }), found)
    }
  }

  /** What happens to a record with invalid bytes in its encoding: they are `\xNN` in it, or U+FFFD. */
  #judged(found: Line): Line {
    this.#invalidUtf8 += 1
    if (this.#malformed === 'replace') return found
    const line = { ...found, raw: rawOfEscaped(found.text) }
    if (this.#malformed === 'escape') return line
    return { ...line, fault: line.fault ?? malformedFault(line.raw, this.#charset.name) }
  }
}

/** Records of converted text, at their positions in the file, up to the limit. */
function placedRun(run: Run, placeOf: (spot: Spot) => number, isOver: () => boolean): Run {
  return {
    fault: undefined,
    get given() {
      return run.given
    },
    get line() {
      return run.line
    },
    get offset() {
      return placeOf(run)
    },
    next: () => (isOver() ? undefined : run.next()),
    placeOf: (index) => {
      const place = run.placeOf(index)
      return { ...place, offset: placeOf(place) }
    },
  }
}

/** Counts characters; counting lines is faster, for records that begin at lines. */
class CharacterPlaces implements Places {
  readonly #decoder: CharsetDecoder
  readonly #malformed: Malformed
  readonly #widths: Widths
  /** Places in the text that were invalid bytes, the next ones first. */
  readonly #malformedAt: number[] = []

  constructor(charset: Charset, malformed: Malformed, origin: number) {
    this.#decoder = new CharsetDecoder(charset)
    this.#malformed = malformed
    this.#widths = new Widths(origin)
  }

  textOf(bytes: Buffer, _at: number, isWhole: boolean): { text: string; usedBytes: number } {
    const measured = this.#decoder.measure(bytes, isWhole, this.#malformed === 'replace')
    const from = this.#widths.add(Buffer.from(measured.text), measured.widths)
    for (const at of measured.malformedAt) this.#malformedAt.push(from + at)
    return measured
  }

  of({ offset }: Spot): number {
    return this.#widths.placeOf(offset)
  }

  isMalformed(record: Spot, next: Spot): boolean {
    const all = this.#malformedAt
    while (all.length > 0 && (all[0] as number) < record.offset) all.shift()
    return (all[0] ?? Number.POSITIVE_INFINITY) < next.offset
  }
}

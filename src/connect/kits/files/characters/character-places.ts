// Positions of records that begin anywhere in a line, mapped back to the file, character by character.

import type { Malformed } from '../records/raw.ts'
import { type Charset, CharsetDecoder } from './charset.ts'
import type { Places, Spot } from './places.ts'
import { Widths } from './widths.ts'

/** Counts characters; counting lines is faster, for records that begin at lines. */
export class CharacterPlaces implements Places {
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

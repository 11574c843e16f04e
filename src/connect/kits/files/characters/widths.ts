// How many bytes of a file the characters of its text take: maps positions in the text, as UTF-8, to positions in the
// file.

/** A stretch of text, with the size of each of its characters in the file; one size for all if it is a number. */
interface Stretch {
  readonly utf8: Buffer
  readonly widths: WidthOf
}

/** The sizes of characters in bytes: one each; 1 for all; or `utf-16`: 2, and 4 beyond U+FFFF. */
export type WidthOf = Uint32Array | 'one' | 'utf-16'

/** Positions must be requested from front to back. */
export class Widths {
  readonly #stretches: Stretch[] = []
  /** The position requested last: in the text, in its stretch, by characters of that, and in the file. */
  #at = 0
  #inStretch = 0
  #characters = 0
  #place: number
  /** The end of all stretches. */
  #end = 0

  /** @param origin - where the text begins in the file */
  constructor(origin: number) {
    this.#place = origin
  }

  /** Adds text at the end; returns where in the text it begins. */
  add(utf8: Buffer, widths: WidthOf): number {
    const from = this.#end
    this.#end += utf8.length
    if (utf8.length > 0) this.#stretches.push({ utf8, widths })
    return from
  }

  /** The place in the file of a place in the text. */
  placeOf(at: number): number {
    while (this.#at < at) {
      const stretch = this.#stretches[0]
      if (stretch === undefined) break
      const length = Math.min(at - this.#at, stretch.utf8.length - this.#inStretch)
      this.#pass(stretch, this.#inStretch + length)
      this.#at += length
      if (this.#inStretch < stretch.utf8.length) continue
      this.#stretches.shift()
      this.#inStretch = 0
      this.#characters = 0
    }
    return this.#place
  }

  #pass({ utf8, widths }: Stretch, to: number): void {
    let place = this.#place
    let characters = this.#characters
    for (let at = this.#inStretch; at < to; at += 1) {
      const byte = utf8[at] as number
      // Advances by a character.
      if ((byte & 0xc0) === 0x80) continue
      if (widths === 'one') place += 1
      else if (widths === 'utf-16') place += byte < 0xf0 ? 2 : 4
      else place += widths[characters] as number
      characters += 1
    }
    this.#place = place
    this.#characters = characters
    this.#inStretch = to
  }
}

// A field of texts, as where they lie in bytes.

import { isAscii } from 'node:buffer'
import type { FieldVector } from './column-batch.ts'
import type { Spans } from './spans.ts'
import type { TextTable } from './text-table.ts'
import { type Vector, valuesOf } from './vector.ts'

/** Texts that repeat are found by their bytes; others are cut out of the block's text. */
export class TextField implements FieldVector {
  readonly #spans: Spans
  /** Absent where it is not known whether texts repeat. */
  readonly #table: TextTable | undefined
  /** All bytes as one string of as many characters, if they are ASCII. */
  readonly #whole: () => string | undefined
  #vector: Vector | undefined

  constructor(spans: Spans, table: TextTable | undefined, whole: () => string | undefined) {
    this.#spans = spans
    this.#table = table
    this.#whole = whole
  }

  vector(): Vector {
    this.#vector ??= this.#symbols() ?? { kind: 'values', values: this.#texts() }
    return this.#vector
  }

  spans(): Spans | undefined {
    return this.#vector === undefined ? this.#spans : undefined
  }

  values(): ArrayLike<unknown> {
    return this.#vector === undefined ? this.#texts() : valuesOf(this.#vector)
  }

  #symbols(): Vector | undefined {
    if (this.#table?.isWorthwhile !== true) return undefined
    const symbols = this.#table.numbersOf(this.#spans)
    return symbols && { kind: 'symbols', symbols, texts: this.#table.texts }
  }

  #texts(): (string | null)[] {
    const { bytes, bounds, stride, place, gap, count, isEmptyNull } = this.#spans
    const text = this.#whole()
    const texts: (string | null)[] = []
    for (let i = 0, at = place; i < count; i += 1, at += stride) {
      const from = bounds[at] as number
      const to = (bounds[at + 1] as number) - gap
      if (from < 0) texts.push(null)
      else if (from === to) texts.push(isEmptyNull ? null : '')
      else texts.push(text === undefined ? bytes.toString('utf8', from, to) : text.slice(from, to))
    }
    return texts
  }
}

/**
 * Makes the text of bytes when it is first asked for, if they are ASCII: once for all fields.
 *
 * @param latin1 - the bytes as characters, and perhaps more after them, if that is there already
 */
export function wholeText(bytes: Buffer, latin1?: string): () => string | undefined {
  let text: string | undefined
  let isMade = false
  return () => {
    if (!isMade) text = isAscii(bytes) ? (latin1 ?? bytes.toString('latin1')) : undefined
    isMade = true
    return text
  }
}

// Numbers for texts, found by their bytes: equal texts become one string.

import { randomInt } from 'node:crypto'
import type { Spans } from './spans.ts'

/** The most texts of a table, the most words of four bytes of them together, and the longest text: enough for what repeats. */
const MOST_TEXTS = 1 << 16
const MOST_WORDS = 1 << 20
const MOST_TEXT_BYTES = 1024
/** Slots that are looked at for a text: texts that were chosen to collide cost no more than others. */
const MOST_PROBES = 16
/** After so many texts it shows whether they repeat: of those that do not, a table is only work. */
const JUDGED = 16_384
/** Texts of which more than this share are new do not repeat. */
const MOSTLY_NEW = 0.75

/** Another one in each process, so that nobody can choose texts that collide. */
const SEED = randomInt(2 ** 31)

const NOTHING: Int32Array = new Int32Array(0)
/** The words of the text that was read last. */
const WORDS = new Int32Array(MOST_TEXT_BYTES / 4 + 1)

/** Instead of a number, for a text that has none. */
export const NOT_HELD = -2

/** The texts of a column: memory is bounded. A text that is not found again where it was put gets another number. */
export class TextTable {
  /** The texts by their numbers. */
  readonly texts: string[] = []
  /** Slot → number + 1, and the hash. */
  #slots: Int32Array = NOTHING
  /** The bytes of all texts, four to a word, and where each text begins. */
  #held: Int32Array = NOTHING
  #starts: Int32Array = NOTHING
  #looked = 0

  /** Whether texts repeat, as far as was seen. */
  get isWorthwhile(): boolean {
    return this.#looked < JUDGED || this.texts.length < this.#looked * MOSTLY_NEW
  }

  /** The numbers of texts, -1 for null; undefined if one of them does not fit. */
  numbersOf({ bytes, bounds, stride, place, gap, count, isEmptyNull }: Spans): Int32Array | undefined {
    // Most tables of a file with many columns are never asked.
    if (this.#slots === NOTHING) {
      this.#slots = new Int32Array(512)
      this.#held = new Int32Array(1024)
      this.#starts = new Int32Array(257)
    }
    const numbers = new Int32Array(count)
    this.#looked += count
    for (let i = 0, at = place; i < count; i += 1, at += stride) {
      const from = bounds[at] as number
      const to = (bounds[at + 1] as number) - gap
      const number = from < 0 || (from === to && isEmptyNull) ? -1 : this.find(bytes, from, to)
      if (number === NOT_HELD) return undefined
      numbers[i] = number
    }
    return numbers
  }

  /** The number of the text in these bytes, which are UTF-8; a new one if it was not there. */
  find(bytes: Buffer, from: number, to: number): number {
    if (to - from > MOST_TEXT_BYTES) return NOT_HELD
    const words = WORDS
    let count = 0
    let hash = SEED
    let at = from
    for (; at + 3 < to; at += 4) {
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)
      words[count] = word
      count += 1
      hash = Math.imul(hash ^ word, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    // The last word tells how many bytes it has, and with it the length of the text.
    let last = to - at
    for (; at < to; at += 1) last = (last << 8) | (bytes[at] as number)
    words[count] = last
    count += 1
    hash = Math.imul(hash ^ last, 0x9e3779b1)
    hash ^= hash >>> 15
    const slots = this.#slots
    const mask = slots.length - 2
    let slot = (hash << 1) & mask
    for (let probe = 0; probe < MOST_PROBES; probe += 1) {
      const number = (slots[slot] as number) - 1
      if (number < 0) return this.#add(bytes, from, to, { hash, slot, count })
      if (slots[slot + 1] === hash && this.#holds(number, count)) return number
      slot = (slot + 2) & mask
    }
    return NOT_HELD
  }

  /** Whether a text has the words that were read last. */
  #holds(number: number, count: number): boolean {
    const held = this.#held
    const start = this.#starts[number] as number
    if ((this.#starts[number + 1] as number) - start !== count) return false
    const words = WORDS
    for (let i = 0; i < count; i += 1) if (held[start + i] !== words[i]) return false
    return true
  }

  #add(bytes: Buffer, from: number, to: number, place: { hash: number; slot: number; count: number }): number {
    const number = this.texts.length
    const start = this.#starts[number] as number
    const end = start + place.count
    if (number === MOST_TEXTS || end > MOST_WORDS) return NOT_HELD
    if (number + 2 > this.#starts.length) this.#starts = grown(this.#starts, this.#starts.length * 2)
    if (end > this.#held.length) this.#held = grown(this.#held, Math.max(end, this.#held.length * 2))
    this.#held.set(WORDS.subarray(0, place.count), start)
    this.#starts[number + 1] = end
    this.texts.push(bytes.toString('utf8', from, to))
    this.#slots[place.slot] = number + 1
    this.#slots[place.slot + 1] = place.hash
    if (this.texts.length * 4 > this.#slots.length) this.#rehash()
    return number
  }

  #rehash(): void {
    const before = this.#slots
    const slots = new Int32Array(before.length * 4)
    const mask = slots.length - 2
    for (let from = 0; from < before.length; from += 2) {
      if (before[from] === 0) continue
      let slot = ((before[from + 1] as number) << 1) & mask
      while (slots[slot] !== 0) slot = (slot + 2) & mask
      slots[slot] = before[from] as number
      slots[slot + 1] = before[from + 1] as number
    }
    this.#slots = slots
  }
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length)
  to.set(from)
  return to
}

// Numbers for keys: each key that comes has one, from 0 on, in the order of their first coming.

import { type Key, stableHash } from './hash.ts'

/** Longer texts are hashed by parts of them. */
const WHOLE = 24
/** Slots that are looked at for a text; one that meets more others than this lies in the map. */
const MOST_PROBES = 24
/** Texts of this length or more may be views of a longer text. */
const VIEW_LENGTH = 13

/**
 * A table of keys. For texts it is about twice as fast as a Map: hashes are of few instructions, and do not make the
 * text unique in the whole process. Keys that were chosen to collide end up in a Map, and cost no more than there.
 *
 * A text that is a part of a longer one is copied when it is new, so that the table holds no whole block of a file.
 *
 * @throws {TypeError} (by `find`) for anything that is no key: objects, NaN, undefined
 * @example
 * const table = new KeyTable()
 * table.find('a') // => 0
 * table.find(7) // => 1
 * table.find('a') // => 0
 * table.keys // => ['a', 7]
 */
export class KeyTable {
  /** Keys by their numbers. */
  readonly keys: Key[] = []
  /** Number → hash, of texts. */
  #hashes = new Int32Array(64)
  /** Slot → number, or -1. */
  #slots = new Int32Array(128).fill(-1)
  #texts = 0
  /** All that is no text, and texts that met too many others. */
  readonly #others = new Map<Key, number>()

  /** The number of a key. It is a new one if it is the last: `keys.length - 1`. */
  find(key: Key): number {
    if (typeof key !== 'string') return this.#findOther(key)
    const hash = hashOf(key)
    const mask = this.#slots.length - 1
    for (let probe = 0; probe < MOST_PROBES; probe += 1) {
      const slot = (hash + probe) & mask
      const number = this.#slots[slot] as number
      if (number < 0) return this.#addText(key, hash, slot)
      if (this.#hashes[number] === hash && this.keys[number] === key) return number
    }
    return this.#findOther(key)
  }

  clear(): void {
    this.keys.length = 0
    this.#slots.fill(-1)
    this.#texts = 0
    this.#others.clear()
  }

  #addText(key: string, hash: number, slot: number): number {
    // A text that found no room before may find some now that the table has grown: it has its number already.
    const known = this.#others.size === 0 ? undefined : this.#others.get(key)
    if (known !== undefined) return known
    const number = this.keys.push(key.length < VIEW_LENGTH ? key : ` ${key}`.slice(1)) - 1
    if (number >= this.#hashes.length) this.#hashes = grown(this.#hashes)
    this.#hashes[number] = hash
    this.#slots[slot] = number
    this.#texts += 1
    if (this.#texts * 2 > this.#slots.length) this.#grow()
    return number
  }

  #findOther(key: Key): number {
    const plain = plainKey(key)
    const known = this.#others.get(plain)
    if (known !== undefined) return known
    const number = this.keys.push(plain) - 1
    if (number >= this.#hashes.length) this.#hashes = grown(this.#hashes)
    this.#others.set(plain, number)
    return number
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 4).fill(-1)
    const mask = slots.length - 1
    for (const number of this.#slots) {
      if (number < 0) continue
      const hash = this.#hashes[number] as number
      let probe = 0
      while (probe < MOST_PROBES && slots[(hash + probe) & mask] !== -1) probe += 1
      if (probe < MOST_PROBES) slots[(hash + probe) & mask] = number
      else this.#others.set(this.keys[number] as Key, number)
    }
    this.#slots = slots
  }
}

/** A key that can be told from others by its value; anything else is refused, and `-0` is `0`. */
export function plainKey(key: Key): Key {
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint') return key
  if (typeof key === 'number' && !Number.isNaN(key)) return key === 0 ? 0 : key
  stableHash(key) // Throws, with what was found.
  return key
}

function hashOf(text: string): number {
  const { length } = text
  let hash = length
  if (length <= WHOLE) {
    for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  } else {
    const step = length / WHOLE
    for (let at = 0; at < length; at += step) hash = Math.imul(hash ^ text.charCodeAt(at | 0), 0x01000193)
    for (let i = length - 4; i < length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash ^ (hash >>> 15)
}

function grown(hashes: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(hashes.length * 2)
  larger.set(hashes)
  return larger
}

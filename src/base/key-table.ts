// Numbers for keys: each key gets the next number from 0 when it first appears.

import { hashText, type Key, stableHash } from './hash.ts'

/** Shorter texts, which most keys are, have a hash of fewer instructions. */
const SHORT = 24
/** Slots probed for a text; after more collisions than this, the text goes into the map. */
const MOST_PROBES = 24
/** Texts of this length or more may be slices of a longer text. */
const VIEW_LENGTH = 13

/**
 * A table of keys. For texts it is about twice as fast as a Map: texts are hashed once, and not interned. Keys that were
 * chosen to collide end up in a Map, and cost no more than there.
 *
 * A new text that is a slice of a longer one is copied, so that the table does not keep a whole block of a file alive.
 *
 * @throws {TypeError} (by `find`) for anything that cannot be a key: objects, NaN, undefined
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
  /** Slot → number, or -1, and the hash of the text, side by side for locality. */
  #slots = new Int32Array(256).fill(-1)
  #texts = 0
  /** Everything that is not a text, and texts with too many collisions. */
  readonly #others = new Map<Key, number>()

  /** The number of a key. The key is new if this is the last number, `keys.length - 1`. */
  find(key: Key): number {
    if (typeof key !== 'string') return this.#findOther(key)
    const hash = hashOf(key)
    const slots = this.#slots
    const mask = slots.length - 2
    let slot = (hash << 1) & mask
    for (let probe = 0; probe < MOST_PROBES; probe += 1) {
      const number = slots[slot] as number
      if (number < 0) return this.#addText(key, hash, slot)
      if (slots[slot + 1] === hash && this.keys[number] === key) return number
      slot = (slot + 2) & mask
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
    // A text that found no slot before may find one now that the table has grown: it already has its number.
    const known = this.#others.size === 0 ? undefined : this.#others.get(key)
    if (known !== undefined) return known
    const number = this.keys.push(key.length < VIEW_LENGTH ? key : ` ${key}`.slice(1)) - 1
    this.#slots[slot] = number
    this.#slots[slot + 1] = hash
    this.#texts += 1
    if (this.#texts * 4 > this.#slots.length) this.#grow()
    return number
  }

  #findOther(key: Key): number {
    const plain = plainKey(key)
    const known = this.#others.get(plain)
    if (known !== undefined) return known
    const number = this.keys.push(plain) - 1
    this.#others.set(plain, number)
    return number
  }

  #grow(): void {
    const before = this.#slots
    const slots = new Int32Array(before.length * 4).fill(-1)
    const mask = slots.length - 2
    for (let from = 0; from < before.length; from += 2) {
      const number = before[from] as number
      if (number < 0) continue
      const hash = before[from + 1] as number
      let slot = (hash << 1) & mask
      let probe = 0
      for (; probe < MOST_PROBES && slots[slot] !== -1; probe += 1) slot = (slot + 2) & mask
      if (probe === MOST_PROBES) this.#others.set(this.keys[number] as Key, number)
      else {
        slots[slot] = number
        slots[slot + 1] = hash
      }
    }
    this.#slots = slots
  }
}

/** A key that can be told apart by its value; anything else is rejected, and `-0` is `0`. */
export function plainKey(key: Key): Key {
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint') return key
  if (typeof key === 'number' && !Number.isNaN(key)) return key === 0 ? 0 : key
  stableHash(key) // Throws, with what was found.
  return key
}

/** Only ever compared in memory: MurmurHash3, or for short texts FNV-1a of their UTF-16 units. */
function hashOf(text: string): number {
  const { length } = text
  if (length > SHORT) return hashText(text, 0) | 0
  let hash = 0x811c9dc5 | 0
  for (let i = 0; i < length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  // The table looks at the lower bits.
  return hash ^ (hash >>> 15)
}

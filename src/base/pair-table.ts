// Numbers for pairs of numbers: each pair gets the next number from 0 when it first appears.

/**
 * A table of pairs of integers.
 *
 * @example
 * const pairs = new PairTable()
 * pairs.find(1, 2) // => 0
 * pairs.find(2, 1) // => 1
 * pairs.find(1, 2) // => 0
 */
export class PairTable {
  /** Slot → number + 1, and the pair, side by side for locality; the fourth is unused. */
  #slots = new Int32Array(4 * 256)
  #count = 0

  /** The number of a pair. */
  find(left: number, right: number): number {
    const slots = this.#slots
    const mask = slots.length - 4
    let slot = hashOf(left, right) & mask
    for (;;) {
      const number = slots[slot] as number
      if (number === 0) break
      if (slots[slot + 1] === left && slots[slot + 2] === right) return number - 1
      slot = (slot + 4) & mask
    }
    this.#count += 1
    slots[slot] = this.#count
    slots[slot + 1] = left
    slots[slot + 2] = right
    if (this.#count * 8 > slots.length) this.#grow()
    return this.#count - 1
  }

  clear(): void {
    this.#slots.fill(0)
    this.#count = 0
  }

  #grow(): void {
    const before = this.#slots
    const slots = new Int32Array(before.length * 4)
    const mask = slots.length - 4
    for (let from = 0; from < before.length; from += 4) {
      if (before[from] === 0) continue
      let slot = hashOf(before[from + 1] as number, before[from + 2] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 4) & mask
      slots.set(before.subarray(from, from + 3), slot)
    }
    this.#slots = slots
  }
}

/** A multiple of 4. */
function hashOf(left: number, right: number): number {
  let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) << 2
}

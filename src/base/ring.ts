// A queue in an array whose length is a power of two: push and shift without moving anything.

/**
 * A first-in, first-out queue.
 *
 * Grows by doubling, never shrinks below its first size. Its owner bounds it and decides what happens at the bound.
 *
 * @example
 * const ring = new Ring<string>()
 * ring.push('a')
 * ring.push('b')
 * ring.shift() // => 'a'
 * ring.length // => 1
 */
export class Ring<T> {
  /** Slots; the first `length` from `#head` on (wrapping) are in use, the others hold undefined. */
  #slots: (T | undefined)[]
  /** Index of the oldest value. */
  #head = 0
  /** How many values it holds. */
  #length = 0

  constructor(sizeHint = 16) {
    let size = 2
    while (size < sizeHint) size *= 2
    this.#slots = emptySlots(size)
  }

  get length(): number {
    return this.#length
  }

  push(value: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = value
    this.#length += 1
  }

  /** Puts a value in front of all others. */
  unshift(value: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#head = (this.#head - 1) & (this.#slots.length - 1)
    this.#slots[this.#head] = value
    this.#length += 1
  }

  /** Takes the oldest value; undefined if empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const value = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#length -= 1
    return value
  }

  /** The oldest value, without taking it. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[this.#head]
  }

  /** Takes up to `count` of the oldest values. */
  take(count: number): T[] {
    const taken: T[] = []
    for (let left = Math.min(count, this.#length); left > 0; left -= 1) taken.push(this.shift() as T)
    return taken
  }

  clear(): void {
    this.#slots = emptySlots(2)
    this.#head = 0
    this.#length = 0
  }

  #grow(): void {
    const old = this.#slots
    const slots = emptySlots<T>(old.length * 2)
    for (let i = 0; i < old.length; i += 1) slots[i] = old[(this.#head + i) & (old.length - 1)]
    this.#slots = slots
    this.#head = 0
  }
}

/** Filled by push: V8 treats an array made with a length as sparse. */
function emptySlots<T>(size: number): (T | undefined)[] {
  const slots: (T | undefined)[] = []
  for (let i = 0; i < size; i += 1) slots.push(undefined)
  return slots
}

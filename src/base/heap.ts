// A priority queue: the least item comes out first.

/**
 * A binary heap: push and pop cost the logarithm of its size. The rank of an item must not change while it is inside.
 *
 * @example
 * const heap = new Heap<number>((a, b) => a < b)
 * for (const n of [3, 1, 2]) heap.push(n)
 * heap.pop() // => 1
 * heap.peek() // => 2
 */
export class Heap<T> {
  readonly #isBefore: (a: T, b: T) => boolean
  /** Each item is less than or equal to its two children, at twice its index plus one and two. */
  #items: T[] = []

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#items.push(item)
    rise(this.#items, this.#isBefore)
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (items.length > 0) sink(items, last as T, this.#isBefore)
    return first
  }

  /** Drops everything that `keep` does not select. */
  retain(keep: (item: T) => boolean): void {
    const kept = this.#items.filter(keep)
    this.#items = []
    for (const item of kept) this.push(item)
  }
}

/** Sifts the last item up. */
export function rise<T>(items: T[], isBefore: (a: T, b: T) => boolean): void {
  let at = items.length - 1
  const item = items[at] as T
  while (at > 0) {
    const above = (at - 1) >> 1
    const other = items[above] as T
    if (!isBefore(item, other)) break
    items[at] = other
    at = above
  }
  items[at] = item
}

/** Puts an item at the top and sifts it down. */
export function sink<T>(items: T[], item: T, isBefore: (a: T, b: T) => boolean): void {
  let at = 0
  for (;;) {
    let below = 2 * at + 1
    if (below >= items.length) break
    if (below + 1 < items.length && isBefore(items[below + 1] as T, items[below] as T)) below += 1
    const other = items[below] as T
    if (!isBefore(other, item)) break
    items[at] = other
    at = below
  }
  items[at] = item
}

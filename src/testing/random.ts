// Random numbers that are the same for the same seed.

/**
 * A source of numbers from 0 to 1, exclusive: the same ones for the same seed (Mulberry32).
 *
 * @example
 * seededRandom(7)() === seededRandom(7)() // => true
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** An integer from 0 to `below`, exclusive. */
export function below(limit: number, random: () => number): number {
  return Math.floor(random() * limit)
}

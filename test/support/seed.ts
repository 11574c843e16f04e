// Randomness of tests: one printed seed, from the environment if it is to be repeated.

export { times } from '../../src/testing/times.ts'

/** The seed of this run: `SEED=… npm test` repeats it. */
export const SEED: number = Number(process.env.SEED ?? Date.now() % 1_000_000_007)

/** Random numbers from 0 to 1, the same for the same seed and name. */
export function randomOf(name: string): () => number {
  return seeded(name, SEED)
}

/** Random numbers from 0 to 1, whatever the seed of this run. */
export function seeded(name: string, seed = 0): () => number {
  let state = seed >>> 0
  for (const char of name) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
    return ((mixed ^ (mixed >>> 12)) >>> 0) / 0x1_0000_0000
  }
}

/** Some numbers of 1 to `count`, in order, other ones for each seed; all of them if there are no more. */
export function someOf(count: number, most: number, random: () => number): number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1)
  while (all.length > most) all.splice(Math.floor(random() * all.length), 1)
  return all
}

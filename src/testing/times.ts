// How many repetitions random tests make: fewer before a commit, more for a soak.

/** `TEST_RUNS=50 npm run test:faults` makes fifty times as many as by default, `TEST_RUNS=0.1` a tenth. */
const RUNS = Number(process.env.TEST_RUNS ?? 1)

/** A number of repetitions: at least one. */
export function times(byDefault: number): number {
  return Math.ceil(byDefault * RUNS)
}

// How many lines the paused run of `test/jobs/paused.ts` has before it: more than it reads before it is paused.

export const LINES = 20_000

// What test jobs import: the package as users do, and a value that only its module holds.

export * from '../../src/index.ts'

/** Captured by a job's function: it works, because every worker has the module. */
export const shared = 1000

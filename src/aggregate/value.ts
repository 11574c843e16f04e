// The values that aggregates count, and their order.

import type { Key } from '../base/hash.ts'
import { misfit } from './aggregate.ts'

/** What can be counted: a key, or null. */
export type Value = Key | null

const RANKS: Record<string, number> = { object: 0, boolean: 1, number: 2, bigint: 3, string: 4 }

/** Rejects values that are equal to nothing, or only to themselves: objects, NaN, functions, symbols. */
export function checkValue(kind: string, value: unknown): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return
  if (typeof value === 'number' && !Number.isNaN(value)) return
  throw misfit(kind, 'strings, numbers, bigints, booleans and null', value)
}

/** One order over all values, the same everywhere: null, booleans, numbers, bigints, strings; each type by `<`. */
export function compareValues(a: Value, b: Value): number {
  const byKind = (RANKS[typeof a] ?? 0) - (RANKS[typeof b] ?? 0)
  if (byKind !== 0 || a === b || a === null || b === null) return byKind
  return a < b ? -1 : 1
}

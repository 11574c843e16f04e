// uniq: the first event of each key.

import { type Key, stableHash } from '../../base/hash.ts'
import { give, type MakeStep, passing } from '../step.ts'

/** As they come; keys are kept until the end. */
export function uniq(by: (value: never) => Key): MakeStep {
  return (next) => {
    const seen = new Set<Key>()
    return passing(next, (batch) => {
      const fresh = batch.filter((event) => {
        const key = plainKey((by as (value: unknown) => Key)(event))
        if (seen.has(key)) return false
        seen.add(key)
        return true
      })
      give(next, fresh)
    })
  }
}

/** A key that can be told from others by its value; anything else is refused, and `-0` is `0`. */
export function plainKey(key: Key): Key {
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint') return key
  if (typeof key === 'number' && !Number.isNaN(key)) return key === 0 ? 0 : key
  stableHash(key) // Throws, with what was found.
  return key
}

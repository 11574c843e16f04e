// uniq: the first event of each key.

import type { Key } from '../../base/hash.ts'
import { plainKey } from '../../base/key-table.ts'
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

// uniq: the first event of each key.

import type { Key } from '../../base/hash.ts'
import { plainKey } from '../../base/key-table.ts'
import { overLimit } from '../../base/over-limit.ts'
import type { Deduplicating } from '../plan.ts'
import { give, type MakeStep } from '../step.ts'

/** As they come; keys are remembered until the end, or until others take their place. */
export function uniq({ name, by, maxKeys, whenFull }: Deduplicating): MakeStep {
  return (next, context) => {
    const seen = new Set<Key>()
    const isNew = (event: unknown): boolean => {
      const key = plainKey((by as (value: unknown) => Key)(event))
      if (seen.has(key)) return false
      seen.add(key)
      if (seen.size <= maxKeys) return true
      if (whenFull === 'fail') throw overLimit({ what: 'key', operator: name, option: 'maxKeys', limit: maxKeys })
      // The oldest key.
      for (const oldest of seen) return seen.delete(oldest)
      return true
    }
    return {
      events(batch) {
        const fresh: number[] = []
        for (const [index, event] of batch.values().entries()) if (isNew(event)) fresh.push(index)
        give(next, batch.select(fresh))
      },
      watermark: (time) => next.watermark(time),
      snapshot: () => [...seen],
      restore(saved) {
        for (const key of saved.flat() as Key[]) if (context.owns(key)) seen.add(key)
      },
    }
  }
}

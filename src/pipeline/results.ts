// Numbers of events without a record, beyond a reset: stored dead letters must not be overwritten.

import { isOfRecord } from '../connect/origin.ts'
import type { Sink, StoredDeadLetter } from '../connect/sink.ts'
import { NO_RECORD } from '../flow/dead-letter.ts'

/** How many numbers are taken by stored dead letters of a pipeline that has no checkpoint. */
export async function countResults(sink: Sink<unknown>, pipeline: string): Promise<number> {
  const inspector = await sink.inspect?.(pipeline)
  if (inspector === undefined) return 0
  const isTakenFrom = async (number: number): Promise<boolean> => {
    const [found] = await inspector.deadLetters({ limit: 1, after: justBefore(number) })
    return found !== undefined && !isOfRecord(found.origin) && found.origin.offset >= number
  }
  try {
    if (!(await isTakenFrom(0))) return 0
    let [taken, free] = [0, 1]
    while (await isTakenFrom(free)) [taken, free] = [free, free * 2]
    while (free - taken > 1) {
      const middle = Math.floor((taken + free) / 2)
      if (await isTakenFrom(middle)) taken = middle
      else free = middle
    }
    return free
  } finally {
    await inspector.close()
  }
}

/** A place just before the dead letters of this number: they have no file, which sorts before all names. */
function justBefore(number: number): StoredDeadLetter {
  const origin = { ...NO_RECORD, offset: number }
  return { kind: 'dead', origin, step: '', reason: '', part: -1, epoch: 0, timeMs: 0 }
}

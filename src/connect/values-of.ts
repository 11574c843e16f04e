// The values of a split, from any reader: whether it gives them without origins or not.

import type { Entry } from './origin.ts'
import type { OnDeadLetter, SplitReader } from './source.ts'

/**
 * Reads the next values of a split as `SplitReader.values` promises it, from entries where a reader has only those.
 *
 * @param max - most values; a reader without `values` counts dead letters, too
 * @param dead - takes what could not be read, before the call is answered
 * @returns what is at hand, at once or as a promise; undefined at the end of the split
 */
export function valuesOf<T>(
  reader: SplitReader<T>,
  max: number,
  dead: OnDeadLetter,
): readonly T[] | undefined | Promise<readonly T[] | undefined> {
  if (reader.values !== undefined) return reader.values(max, dead)
  const entries = reader.read(max)
  return entries instanceof Promise ? entries.then((read) => takeApart(read, dead)) : takeApart(entries, dead)
}

function takeApart<T>(entries: readonly Entry<T>[] | undefined, dead: OnDeadLetter): readonly T[] | undefined {
  if (entries === undefined) return undefined
  const values: T[] = []
  for (const entry of entries) {
    if (entry.kind === 'dead') dead(entry)
    else values.push(entry.value)
  }
  return values
}

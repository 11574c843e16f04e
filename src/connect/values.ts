// Reading without origins: for whoever keeps no positions.

import type { DeadLetter } from './origin.ts'
import type { SplitReader } from './source.ts'

type Values<T> = readonly T[] | undefined

/** As `reader.read(max)`, values only: what could not be read goes to `dead`, in its turn. */
export function valuesOf<T>(
  reader: SplitReader<T>,
  max: number,
  dead: (letter: DeadLetter) => void,
): Values<T> | Promise<Values<T>> {
  const read = reader.read(max)
  const strip = (entries: Awaited<typeof read>): Values<T> => {
    if (entries === undefined) return undefined
    const values: T[] = []
    for (const entry of entries) {
      if (entry.kind === 'event') values.push(entry.value)
      else dead(entry)
    }
    return values
  }
  return read instanceof Promise ? read.then(strip) : strip(read)
}

// A file that is not read in this run, and will be tried in the next one.

import type { ErrorCode } from '../../../../base/errors.ts'
import { batchOf, type ReadBatch } from '../../../batch.ts'
import { deadLetter } from '../../../origin.ts'
import type { SplitReader } from '../../../source.ts'
import { type FilePosition, NOWHERE } from '../identity.ts'

/** What says of a file that it cannot be read as it is, and nothing of the others. */
export const UNREADABLE: readonly ErrorCode[] = ['SOURCE_UNREADABLE', 'SOURCE_CORRUPT', 'SOURCE_LIMIT']

export interface PassedOverOptions {
  readonly path: string
  /** The step of its dead letter. */
  readonly step: string
  /** Where an earlier run stood. */
  readonly from: FilePosition | undefined
  /** Why it cannot be read, if that makes a dead letter; a file that is gone makes none. */
  readonly reason?: string
  readonly note?: string
}

/** A reader that gives one dead letter for all of a file, or nothing; it stays where an earlier run stood. */
export function passedOver<T>({ path, step, from, reason, note }: PassedOverOptions): SplitReader<T> {
  const letters = reason === undefined ? [] : [deadLetter({ source: path, line: 0, offset: 0, raw: '' }, step, reason)]
  const counts = { read: 0, blank: 0, invalidUtf8: 0 }
  return {
    ...(note === undefined ? {} : { note }),
    counts,
    doneBytes: 0,
    read: (): ReadBatch<T> | undefined => {
      const letter = letters.pop()
      if (letter === undefined) return undefined
      counts.read += 1
      return { events: batchOf<T>([]), rejected: [{ at: 0, letter }] }
    },
    position: () => from ?? NOWHERE,
    close: async () => {},
  }
}

// A file that is not read in this run, and will be tried in the next one.

import type { ErrorCode } from '../../../../base/errors.ts'
import { batchOf, type ReadBatch } from '../../../batch.ts'
import { deadLetter } from '../../../origin.ts'
import type { SplitReader } from '../../../source.ts'
import { type FilePosition, NOWHERE } from '../identity.ts'

/** Errors that mean that a file cannot be read as it is, and do not affect others. */
export const UNREADABLE: readonly ErrorCode[] = ['SOURCE_UNREADABLE', 'SOURCE_CORRUPT', 'SOURCE_LIMIT']

export interface PassedOverOptions {
  readonly path: string
  /** The step of its dead letter. */
  readonly step: string
  /** Where an earlier run stopped. */
  readonly from: FilePosition | undefined
  /** Why it cannot be read, if that makes a dead letter; a missing file makes none. */
  readonly reason?: string
  readonly note?: string
}

/**
 * A reader that returns one dead letter for a whole file, or nothing; its position stays where an earlier run stopped.
 */
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

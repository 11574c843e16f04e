// The records that are elements of a JSON array.

import type { LineFormat } from '../../format.ts'
import type { Malformed } from '../../kits/files/records/raw.ts'
import { RecordCutter } from '../../kits/files/records/record-cutter.ts'
import { FILE_START, type Records } from '../../kits/files/records/records.ts'
import { ElementEnds } from './elements.ts'

export interface ElementOptions<T> {
  readonly format: LineFormat<T>
  /** Keys from the outermost value to the array. */
  readonly path: readonly string[]
  readonly maxRecordBytes: number
  readonly malformed: Malformed
}

const LF = 0x0a

/** Elements of the array at a path, each parsed by a format. */
export function elementRecords<T>({ format, path, maxRecordBytes, malformed }: ElementOptions<T>): Records<T> {
  return {
    name: 'json',
    malformed,
    beginsInLines: true,
    isEnough: (head) => head.length > 0,
    open: (head) => ({
      start: FILE_START,
      lineEnd: LF,
      cut: (start) => {
        const ends = new ElementEnds(path, start.isResumed ?? false)
        return new RecordCutter({ ...start, path: head.path, ends, maxRecordBytes, malformed })
      },
      parse: format.open(() => []),
    }),
  }
}

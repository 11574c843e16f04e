// The records that are elements of a JSON array.

import { RecordCutter } from '../files/record-cutter.ts'
import { FILE_START, type Records } from '../files/records.ts'
import { corruptContent, tellUtf16Fault } from '../files/trouble.ts'
import type { LineFormat } from '../format.ts'
import { ElementEnds } from './elements.ts'

export interface ElementOptions<T> {
  readonly format: LineFormat<T>
  /** Keys from the outermost value to the array. */
  readonly path: readonly string[]
  readonly maxRecordBytes: number
}

const LF = 0x0a

/** Elements of the array at a path, each parsed by a format. */
export function elementRecords<T>({ format, path, maxRecordBytes }: ElementOptions<T>): Records<T> {
  return {
    name: 'json',
    usesOrigin: format.usesOrigin ?? true,
    usesHead: false,
    isEnough: (head) => head.length > 0,
    open: (head) => {
      const fault = tellUtf16Fault(head.bytes)
      if (fault !== undefined) throw corruptContent(head.path, 0, fault)
      return {
        start: FILE_START,
        lineEnd: LF,
        cut: (start) => {
          const ends = new ElementEnds(path, start.isResumed ?? false)
          return new RecordCutter({ ...start, path: head.path, ends, maxRecordBytes })
        },
        parse: format.open([]),
      }
    },
  }
}

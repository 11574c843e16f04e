// Reads many plain lines of text at once, as rows of one field.

import { rowsMaker } from '../kits/rows/rows-maker.ts'
import { copyOf, endOfScan, type Scan } from '../scan.ts'
import { TextField, wholeText } from '../text-field.ts'
import { TextTable } from '../text-table.ts'

const LF = 0x0a
const CR = 0x0d
const TAB = 0x09
const SPACE = 0x20

/** A reader of lines that are not blank, as rows with the field `name`. */
export function linesScan<T>(name: string): Scan<T> {
  const make = rowsMaker([name])
  const texts = new TextTable()
  return {
    odd: [CR],
    read(bytes, from, blockTo, max) {
      const to = endOfScan(bytes, from, blockTo)
      const bounds = new Int32Array(max + 1)
      let count = 0
      let at = from
      while (count < max && at < to && !isBlank(bytes, at)) {
        at = bytes.indexOf(LF, at) + 1
        count += 1
        bounds[count] = at - from
      }
      const copy = copyOf(bytes, from, at)
      const whole = wholeText(copy)
      const spans = { bytes: copy, bounds, stride: 1, place: 0, gap: 1, count, isEmptyNull: false }
      const fields = new Map([[name, new TextField(spans, texts, whole)]])
      const startOf = (index: number): number => bounds[index] as number
      return {
        count,
        isAtOdd: from === to || (count < max && at < to),
        startOf,
        lineGap: 1,
        bytes: copy,
        whole,
        fields,
        make: make as never,
      }
    },
  }
}

/** Whether the line that begins at `from` has nothing but spaces and tabs. */
function isBlank(bytes: Buffer, from: number): boolean {
  let at = from
  while (bytes[at] === SPACE || bytes[at] === TAB) at += 1
  return bytes[at] === LF
}

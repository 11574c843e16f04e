// Line numbers of a byte range: the preceding lines are counted when somebody asks for a number.

import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { BLOCK_BYTES } from '../bytes/file-blocks.ts'
import { FIRST_LINE, type RangeStart } from '../bytes/range.ts'
import { readSyncInto } from '../bytes/read-bytes.ts'
import { fileIdOf } from '../identity.ts'
import type { LineMarks } from './line-marks.ts'

export interface LineNumbersOptions {
  readonly path: string
  readonly inode: string
  /** Where the line that counts as the first begins. */
  readonly from: number
  readonly lineEnd: number
  /** Lines with known numbers. */
  readonly marks: LineMarks
}

/** They can no longer be counted. */
const LOST = -1

/** The lines of one file, numbered from one of them. */
export class LineNumbers {
  readonly #options: LineNumbersOptions
  /** How many lines precede the first, or {@link LOST}; undefined until somebody asks. */
  #before: number | undefined

  constructor(options: LineNumbersOptions) {
    this.#options = options
    const { marks, path, inode, from } = options
    const known = marks.before(path, inode, from)
    if (known.offset === from) this.#before = known.line - 1
  }

  /** Whether the number of the first line is known. */
  get isCounted(): boolean {
    return this.#before !== undefined && this.#before !== LOST
  }

  /**
   * The number of a line in the file. The first call reads the part of the file between the last known line and the
   * range. 0 if the file is gone and nobody can count.
   */
  readonly of = (line: number): number => {
    this.#before ??= this.#count()
    return this.#before === LOST ? 0 : this.#before + line
  }

  #count(): number {
    const { path, inode, from, lineEnd, marks } = this.#options
    try {
      const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        if (fileIdOf(fstatSync(file, { bigint: true })).inode !== inode) return LOST
        const known = marks.before(path, inode, from)
        const lines = countLines(file, known, from, lineEnd) ?? countLines(file, FIRST_LINE, from, lineEnd)
        if (lines === undefined) return LOST
        marks.add(path, inode, { offset: from, line: lines + 1 })
        return lines
      } finally {
        closeSync(file)
      }
    } catch {
      return LOST // It is gone, or no longer readable.
    }
  }
}

/** How many lines end before `to`; undefined if the known line does not begin where it did, or the file is shorter. */
function countLines(file: number, known: RangeStart, to: number, lineEnd: number): number | undefined {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  let at = Math.max(0, known.offset - 1)
  let isChecked = known.offset === 0
  // The end of the line before the known one is counted, too.
  let lines = isChecked ? known.line - 1 : known.line - 2
  while (at < to) {
    const length = readSyncInto(file, block.subarray(0, to - at), at)
    if (length === 0 || (!isChecked && block[0] !== lineEnd)) return undefined
    isChecked = true
    const bytes = block.subarray(0, length)
    for (let end = bytes.indexOf(lineEnd); end !== -1; end = bytes.indexOf(lineEnd, end + 1)) lines += 1
    at += length
  }
  return lines
}

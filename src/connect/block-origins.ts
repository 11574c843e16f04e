// Where the records of a block of lines are: each is worked out when it is asked for.

import type { Origins } from './batch.ts'
import type { Origin } from './origin.ts'

/** Consecutive lines of a file, each a record. */
export interface LinesOf {
  readonly source: string
  /** The number of the first line, or what counts it when it is asked for. */
  readonly line: number | (() => number)
  /** Where it begins in the file. */
  readonly offset: number
  readonly bytes: Buffer
  /** Where a line begins in the bytes; also of the line after the last one. */
  readonly startOf: (index: number) => number
  /** How many bytes end a line. */
  readonly lineGap: number
  /** All bytes as one string of as many characters, if they are ASCII. */
  readonly whole: () => string | undefined
}

export class BlockOrigins implements Origins {
  readonly lines: LinesOf

  constructor(lines: LinesOf) {
    this.lines = lines
  }

  at(index: number): Origin {
    const { source, line, offset, bytes, startOf, lineGap, whole } = this.lines
    const [from, to] = [startOf(index), startOf(index + 1) - lineGap]
    const text = whole()
    const raw = text === undefined ? bytes.toString('utf8', from, to) : text.slice(from, to)
    if (typeof line === 'number') return { source, line: line + index, offset: offset + from, raw }
    return {
      source,
      get line() {
        return line() + index
      },
      offset: offset + from,
      raw,
    }
  }
}

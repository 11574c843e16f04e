// Lines whose numbers are known: a range of a file need not count all lines before it again.

import { FIRST_LINE, type RangeStart } from '../bytes/range.ts'

interface Marked {
  /** Which file it was. */
  readonly inode: string
  /** By their offsets, ascending. */
  readonly starts: RangeStart[]
}

/**
 * What readers of ranges have found out for those that come after them: at which bytes lines begin, and their numbers.
 * Without it the ranges of a file together count its lines as often as there are ranges. Holds a mark or two for each
 * range.
 */
export class LineMarks {
  readonly #files = new Map<string, Marked>()

  /** Remembers that a line begins at an offset; those of another file of that name are forgotten. */
  add(path: string, inode: string, { offset, line }: RangeStart): void {
    let marked = this.#files.get(path)
    if (marked?.inode !== inode) {
      marked = { inode, starts: [] }
      this.#files.set(path, marked)
    }
    const at = countUpTo(marked.starts, offset)
    if (marked.starts[at - 1]?.offset !== offset) marked.starts.splice(at, 0, { offset, line })
  }

  /** The last line known that begins at an offset or before it: the file's first one, if none is. */
  before(path: string, inode: string, offset: number): RangeStart {
    const marked = this.#files.get(path)
    if (marked?.inode !== inode) return FIRST_LINE
    return marked.starts[countUpTo(marked.starts, offset) - 1] ?? FIRST_LINE
  }
}

/** How many begin at an offset or before it. */
function countUpTo(starts: readonly RangeStart[], offset: number): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as RangeStart).offset <= offset) low = middle + 1
    else high = middle
  }
  return low
}

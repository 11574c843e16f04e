// Lines with known numbers: a range of a file need not count all preceding lines again.

import { FIRST_LINE, type RangeStart } from '../bytes/range.ts'

interface Marked {
  /** The file's identity. */
  readonly inode: string
  /** By offset, ascending. */
  readonly starts: RangeStart[]
}

/**
 * What readers of ranges have found out for later ones: at which bytes lines begin, and their numbers. Without it the
 * ranges of a file would together count its lines as often as there are ranges. Holds a mark or two per range.
 */
export class LineMarks {
  readonly #files = new Map<string, Marked>()

  /** Remembers that a line begins at an offset; marks of another file of that name are forgotten. */
  add(path: string, inode: string, { offset, line }: RangeStart): void {
    let marked = this.#files.get(path)
    if (marked?.inode !== inode) {
      marked = { inode, starts: [] }
      this.#files.set(path, marked)
    }
    const at = countUpTo(marked.starts, offset)
    if (marked.starts[at - 1]?.offset !== offset) marked.starts.splice(at, 0, { offset, line })
  }

  /** The last known line that begins at or before an offset: otherwise the file's first one. */
  before(path: string, inode: string, offset: number): RangeStart {
    const marked = this.#files.get(path)
    if (marked?.inode !== inode) return FIRST_LINE
    return marked.starts[countUpTo(marked.starts, offset) - 1] ?? FIRST_LINE
  }
}

/** How many begin at or before an offset. */
function countUpTo(starts: readonly RangeStart[], offset: number): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as RangeStart).offset <= offset) low = middle + 1
    else high = middle
  }
  return low
}

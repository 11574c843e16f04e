// The Parquet files that earlier runs have read, by the positions that they left: under another name a file goes on.

import type { FileId } from '../files/identity.ts'
import type { Position } from '../source.ts'
import type { ParquetFile } from './file.ts'
import { isParquetPosition, type ParquetPosition, sameFile } from './position.ts'

/** What stands between the path and the number of a row group in the id of a split. */
const MARK = '#group-'

/** The id of a row group. */
export function groupId(path: string, index: number): string {
  return `${path}${MARK}${index}`
}

/** Takes an id of {@link groupId} apart. */
export function parseGroupId(id: string): { readonly path: string; readonly index: number } {
  const at = id.lastIndexOf(MARK)
  return { path: id.slice(0, at), index: Number(id.slice(at + MARK.length)) }
}

export class KnownFiles {
  /** Path → index → position, also of files that are gone. */
  readonly #byPath = new Map<string, Map<number, Position>>()

  constructor(positions: ReadonlyMap<string, Position>) {
    for (const [id, position] of positions) {
      const { path, index } = parseGroupId(id)
      const groups = this.#byPath.get(path)
      if (groups === undefined) this.#byPath.set(path, new Map([[index, position]]))
      else groups.set(index, position)
    }
  }

  hasPath(path: string): boolean {
    return this.#byPath.has(path)
  }

  /**
   * Index → position of the row groups of a file that were read, under its name or, where nothing was, another one. A
   * position of another file is refused when it is opened.
   */
  positionsOf(file: ParquetFile, id: FileId): ReadonlyMap<number, Position> {
    const own = this.#byPath.get(file.path)
    if (own !== undefined) return own
    for (const groups of this.#byPath.values()) {
      const positions = [...groups.values()].filter((one): one is ParquetPosition => isParquetPosition(one))
      const isSame = positions.some(
        (one) => one.inode === id.inode && one.born === id.born && sameFile(one, file.identity),
      )
      if (isSame) return groups
    }
    return new Map()
  }
}

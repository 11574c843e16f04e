// The Parquet files that earlier runs have read, by their positions: a renamed file continues.

import type { FileId } from '../../kits/files/identity.ts'
import type { FoundFile } from '../../kits/files/list.ts'
import type { Position } from '../../source.ts'
import type { ParquetFile } from './file.ts'
import { isParquetPosition, type ParquetPosition, sameFile } from './position.ts'

/** The separator of path and row group in the id of a split. */
const MARK = '#group-'

/** The id of a row group. */
export function groupId(path: string, index: number): string {
  return `${path}${MARK}${index}`
}

/** Parses an id made by {@link groupId}. */
export function parseGroupId(id: string): { readonly path: string; readonly index: number } {
  const at = id.lastIndexOf(MARK)
  return { path: id.slice(0, at), index: Number(id.slice(at + MARK.length)) }
}

export class KnownFiles {
  /** Path → index → position, also of files that are gone. */
  readonly #byPath = new Map<string, Map<number, Position>>()

  /** Inodes and creation times. */
  readonly #ids = new Set<string>()

  constructor(positions: ReadonlyMap<string, Position>) {
    for (const [id, position] of positions) {
      const { path, index } = parseGroupId(id)
      const groups = this.#byPath.get(path)
      if (groups === undefined) this.#byPath.set(path, new Map([[index, position]]))
      else groups.set(index, position)
      if (isParquetPosition(position)) this.#ids.add(`${position.inode} ${position.born}`)
    }
  }

  /** Whether what was read can be recognized by name, or by identity in the file system. */
  has({ path, inode, born }: FoundFile): boolean {
    return this.#byPath.has(path) || this.#ids.has(`${inode} ${born}`)
  }

  /** Path → the size of the file that was read there: its footer, which is compared, identifies all of it. */
  get readBytes(): ReadonlyMap<string, number> {
    return new Map([...this.#byPath.keys()].map((path) => [path, this.#positionAt(path)?.size ?? 0]))
  }

  /** Index → position of what was read under a path. */
  positionsNamed(path: string): ReadonlyMap<number, Position> {
    return this.#byPath.get(path) ?? new Map()
  }

  /** Whether a file is the one that was read under a path, or a copy of it. */
  holds(file: ParquetFile, path: string): boolean {
    const position = this.#positionAt(path)
    return position !== undefined && sameFile(position, file.identity)
  }

  #positionAt(path: string): ParquetPosition | undefined {
    return [...this.positionsNamed(path).values()].find(isParquetPosition)
  }

  hasPath(path: string): boolean {
    return this.#byPath.has(path)
  }

  /**
   * Index → position of the row groups of a file that were read, under its name or, if nothing was, another one. A
   * position of another file is rejected when it is opened.
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

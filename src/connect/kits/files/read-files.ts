// Which positions of earlier runs belong to which file: by what the file is, not only by its name.

import type { BigIntStats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { isSluiceError } from '../../../base/errors.ts'
import type { Position } from '../../source.ts'
import { parsePartId, WHOLE } from './bytes/range.ts'
import { cannotRead, positionLost, quotePath } from './errors.ts'
import { checkPosition, type FileId, type FilePosition, fileIdOf, isFilePosition, parsePosition } from './identity.ts'
import type { Found, FoundFile } from './list.ts'
import type { ReadPart } from './parts.ts'

/** A part that was read, and the name that its file had. */
interface NamedPart extends ReadPart {
  readonly path: string
}

/** So few bytes do not identify a file whose creation time is unknown: files may begin alike. */
const TELLING_BYTES = 64

/** The files that earlier runs have read, by their positions. */
export class ReadFiles {
  readonly #positions: ReadonlyMap<string, Position>
  readonly #byPath = new Map<string, NamedPart[]>()
  readonly #byInode = new Map<string, NamedPart[]>()
  /** By path, values that are not positions of a file. */
  readonly #strange = new Map<string, Position>()

  constructor(positions: ReadonlyMap<string, Position>) {
    this.#positions = positions
    for (const [id, position] of positions) {
      const { path, range } = parsePartId(id)
      if (!isFilePosition(position)) this.#strange.set(path, position)
      else {
        const part = { path, range, position }
        add(this.#byPath, path, part)
        add(this.#byInode, position.inode, part)
      }
    }
  }

  /** Path → how many bytes of its file were read. */
  get readBytes(): ReadonlyMap<string, number> {
    return new Map([...this.#byPath].map(([path, parts]) => [path, furthestOf(parts).offset]))
  }

  /** What was read under a path. */
  partsNamed(path: string): readonly ReadPart[] {
    return this.#byPath.get(path) ?? []
  }

  /** Whether a file holds what was read under a path, whatever file that was. */
  async holds(file: FoundFile, path: string): Promise<boolean> {
    return await holds(file, furthestOf(this.partsNamed(path)))
  }

  /** Whether what was read under a path is still there. */
  async isThere(path: string): Promise<boolean> {
    const stats = await statOrNothing(path)
    if (stats?.isFile() !== true) return false
    return await holds({ path, sizeBytes: Number(stats.size) }, furthestOf(this.partsNamed(path)))
  }

  hasPath(path: string): boolean {
    return this.#positions.has(path) || this.#byPath.has(path)
  }

  /**
   * What was read of a file, under whatever name.
   *
   * @param all - all existing files: one that has taken another's name is recognized by finding the other
   * @throws {SluiceError} POSITION_LOST if another file was read under its name: their records could not be told apart;
   *   or for a position of another kind of source; SOURCE_UNREADABLE
   */
  async partsOf(file: FoundFile, all: readonly Found[]): Promise<readonly ReadPart[]> {
    const { path, inode } = file
    const strange = this.#strange.get(path)
    if (strange !== undefined) parsePosition(path, strange)
    const own = this.#positions.get(path)
    // Earlier versions used the path as the id of a whole file, even if that looks like the id of a part of another.
    if (isFilePosition(own) && own.inode === inode && parsePartId(path).path !== path)
      return [{ range: WHOLE, position: own }]
    const named = this.#byPath.get(path) ?? []
    // If the file was restored, or its disk replaced, it has another inode.
    const isNamed = named.some(({ position }) => position.inode === inode)
    const parts = isNamed ? [...named] : []
    for (const [name, same] of Map.groupBy(this.#byInode.get(inode) ?? [], (part) => part.path)) {
      if (name !== path && (await isSame(file, name, same))) parts.push(...same)
    }
    const [other] = named
    if (isNamed || other === undefined) return parts
    const [first] = parts
    const found =
      first === undefined
        ? await this.#whereIs(named, other, all)
        : `it is the file that was read as ${quotePath(first.path)}, another was read under this name`
    if (found === undefined) return named
    throw positionLost(path, other.position.offset, `${found}: tailSource() follows files that are rotated`)
  }

  /** Where the file that was read under a name is, if it has another name by now. */
  async #whereIs(
    named: readonly NamedPart[],
    { path, position }: NamedPart,
    all: readonly Found[],
  ): Promise<string | undefined> {
    const other = all.find((one) => one.kind === 'file' && one.inode === position.inode)
    if (other?.kind !== 'file' || !(await isSame(other, path, named))) return undefined
    return `it is another file, the one that was read is now ${quotePath(other.path)}`
  }
}

function add(to: Map<string, NamedPart[]>, key: string, part: NamedPart): void {
  const parts = to.get(key)
  if (parts === undefined) to.set(key, [part])
  else parts.push(part)
}

/** Whether a file is the one that was read under another name, and had its inode, which may have been reused. */
async function isSame(file: FoundFile, name: string, parts: readonly ReadPart[]): Promise<boolean> {
  const furthest = furthestOf(parts)
  const { born = furthest.born } = file
  const isLinked = (await idAt(name))?.inode === file.inode
  const isLikely = furthest.born === undefined ? furthest.offset >= TELLING_BYTES : furthest.born === born
  return (isLinked || isLikely) && (await holds(file, furthest))
}

/** The furthest position; those of a file belong together. */
function furthestOf(parts: readonly ReadPart[]): FilePosition {
  return parts.reduce((one, other) => (other.position.offset > one.position.offset ? other : one)).position
}

async function idAt(path: string): Promise<FileId | undefined> {
  const stats = await statOrNothing(path)
  return stats === undefined ? undefined : fileIdOf(stats)
}

async function statOrNothing(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch {
    return undefined // It is gone or inaccessible: it tells nothing.
  }
}

/** Whether a file holds what was read up to a position. */
async function holds(
  { path, sizeBytes }: Pick<FoundFile, 'path' | 'sizeBytes'>,
  position: FilePosition,
): Promise<boolean> {
  try {
    await using handle = await open(path)
    await checkPosition({ path, handle, size: sizeBytes }, position)
    return true
  } catch (thrown) {
    if (isSluiceError(thrown, 'POSITION_LOST')) return false
    throw isSluiceError(thrown) ? thrown : cannotRead(path, 0, thrown)
  }
}

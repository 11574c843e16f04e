// A folder that was moved, or is another checkout or mount: its files have other paths and inodes, and were read
// before.

import { basename } from 'node:path'
import { positionLost, quotePath } from './errors.ts'
import type { Found, FoundFile } from './list.ts'

/** Files in another folder that have the names and the content of files that were read. */
export type Copies = 'load' | 'skip'
export const COPIES: readonly Copies[] = ['load', 'skip']

export interface MovedOptions {
  /** All existing files, and those of which nothing was read under their own names. */
  readonly all: readonly Found[]
  readonly unknown: readonly FoundFile[]
  /** Path → how many bytes earlier runs have read there. */
  readonly read: ReadonlyMap<string, number>
  /** Whether a file holds what was read under a path. */
  readonly holds: (file: FoundFile, path: string) => Promise<boolean>
  /** Whether what was read under a path is still there. */
  readonly isThere: (path: string) => Promise<boolean>
  readonly copies: Copies | undefined
  readonly onNote?: ((note: string) => void) | undefined
}

/** A file, and the path in another folder under which one of the same name was read. */
interface Pair {
  readonly file: FoundFile
  readonly path: string
}

/** Too few bytes to distinguish files. */
const TELLING_BYTES = 64

/**
 * New path → the one under which the file was read: for files with the names, and the content read, of files in another
 * folder.
 *
 * One matching file is not enough: if a file of the same name has other content, or most files of both folders have
 * different names, the folders are distinct. If the files that were read still exist, it is unknown whether the others
 * are copies or files of their own.
 *
 * @throws {SluiceError} POSITION_LOST for files that may be copies, unless `copies` says what they are
 */
export async function movedFiles(options: MovedOptions): Promise<ReadonlyMap<string, string>> {
  const { read, copies } = options
  const moved = new Map<string, string>()
  if (copies === 'load') return moved
  for (const [folder, pairs] of pairsByFolder(options)) {
    const same: Pair[] = []
    for (const pair of pairs) if (await options.holds(pair.file, pair.path)) same.push(pair)
    if (same.reduce((bytes, { path }) => bytes + (read.get(path) ?? 0), 0) < TELLING_BYTES) continue
    if (!(await areTaken(folder, same, differences(folder, same, pairs.length, options), options))) continue
    for (const { file, path } of same) {
      const other = moved.get(file.path)
      if (other === undefined || (read.get(path) ?? 0) > (read.get(other) ?? 0)) moved.set(file.path, path)
    }
  }
  return moved
}

/** Whether files with the content that was read are those files. */
async function areTaken(
  folder: string,
  same: readonly Pair[],
  different: string | undefined,
  { copies, isThere, read, onNote = () => {} }: MovedOptions,
): Promise<boolean> {
  const [{ file }] = same as readonly [Pair]
  const now = quotePath(folderOf(file))
  const files = `${same.length === 1 ? 'a file' : `${same.length} files`} in ${now}`
  const held = `what was read in ${quotePath(folder)}`
  if (copies === undefined && different !== undefined) {
    onNote(
      `found ${held} in ${files}, but ${different}: all are read as other files (copies: 'skip' takes the former for those that were read)`,
    )
    return false
  }
  for (const { file, path } of same) {
    if (copies !== undefined || !(await isThere(path))) continue
    const found = `it holds what was read as ${quotePath(path)}, which is still there`
    const ways = `set copies: 'skip' if it is a copy of that file, or copies: 'load' to load it as another file`
    throw positionLost(file.path, read.get(path) ?? 0, `${found}: ${ways}`)
  }
  onNote(`found ${held} in ${files}: reading continues where it was`)
  return true
}

/**
 * Why the folder that files were read in, and the one that they are in now, are not the same; undefined if they may be.
 */
function differences(
  folder: string,
  same: readonly Pair[],
  all: number,
  { unknown, read }: MovedOptions,
): string | undefined {
  if (same.length < all) return `${all - same.length} of the same names do not hold it`
  const now = folderOf((same as readonly [Pair])[0].file)
  const newOnes = unknown.filter((file) => folderOf(file) === now).length
  const oldOnes = [...read].filter(([path, bytes]) => bytes > 0 && path.startsWith(`${folder}/`)).length
  return same.length * 2 > Math.min(newOnes, oldOnes) ? undefined : 'most files of either folder have other names'
}

/** The folder that files were read in → those with a name from it. */
function pairsByFolder({ all, unknown, read }: MovedOptions): ReadonlyMap<string, readonly Pair[]> {
  const present = new Set(all.map((one) => (one.kind === 'stdin' ? '' : one.path)))
  const byName = Map.groupBy(
    [...read].flatMap(([path, bytes]) => (bytes > 0 && !present.has(path) ? [path] : [])),
    (path) => basename(path),
  )
  const pairs = unknown.flatMap((file) => {
    const name = `/${file.path.slice(folderOf(file).length).replace(/^\//, '')}`
    return (byName.get(basename(file.path)) ?? [])
      .filter((path) => path.endsWith(name))
      .map((path) => ({ file, path, folder: path.slice(0, -name.length) || '/' }))
  })
  return Map.groupBy(pairs, ({ folder }) => folder)
}

/** The folder that a file was found in: where its glob began to search, or its own. */
function folderOf({ path, within }: FoundFile): string {
  return path.startsWith(within.endsWith('/') ? within : `${within}/`)
    ? within
    : path.slice(0, -basename(path).length - 1)
}

// Which files there are now: the named ones, and those that they have become by rotation.

import { readdir, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { errnoOf } from '../../../base/errors.ts'
import { fileIdOf } from '../../kits/files/identity.ts'
import { checkCount, folderOf, matching, statIfThere } from '../../kits/files/list.ts'

/** A regular file as seen in one scan. */
export interface FileStat {
  readonly path: string
  /** The name that it is followed under, if it is to be read. */
  readonly name: string
  /** Whether it was named, or matches a glob that was, and not only recognized as a rotated file. */
  readonly isLive: boolean
  readonly inode: string
  /** When it was created, if its file system records that: inodes are reused. */
  readonly born?: string
  readonly sizeBytes: number
  /** When it was modified last, in epoch milliseconds with fractions. */
  readonly changedMs: number
}

export interface ListerOptions {
  /** Paths and globs to follow, as specified; relative ones refer to `folder`. */
  readonly live: readonly string[]
  /** Globs of rotated files; undefined to recognize the usual names. */
  readonly rotated: readonly string[] | undefined
  /** An absolute path. */
  readonly folder: string
  /** The most files; the default of any source if undefined. */
  readonly maxFiles?: number | undefined
}

/** What rotation appends to a name: `.1`, `-20260101`, `.2.gz`, `.old`. Digits only: `.1.bz2` is not supported. */
const ROTATED = /^(?=.)(?:[._-](?:\d[\d.:T_+-]*|old|bak|prev))?(?:\.(?:gz|zst))?$/

/** How many files are examined at once. */
const STATS_AT_ONCE = 16

/** Errors that mean that a name does not exist yet. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ESTALE']

/**
 * The shortest of `names` that rotation may have turned into `path`; undefined if there is no such name.
 *
 * @example
 * originalOf('/log/a.log.2.gz', new Set(['/log/a.log', '/log/a'])) // => '/log/a.log'
 */
export function originalOf(path: string, names: ReadonlySet<string>): string | undefined {
  for (let at = 1; at < path.length; at += 1) {
    if (!'._-'.includes(path[at] ?? '')) continue
    const name = path.slice(0, at)
    if (names.has(name) && ROTATED.test(path.slice(at))) return name
  }
  return undefined
}

/** Searches for files. Between two scans it only remembers where links lead. */
export class Lister {
  readonly #options: ListerOptions
  /** By link and inode, where its file really is: it is rotated there. */
  #homes = new Map<string, string>()

  constructor(options: ListerOptions) {
    this.#options = options
  }

  /**
   * The existing files, each inode once, named ones first.
   *
   * @param names - the names followed already
   * @throws the system's error, if a folder could not be searched: not seeing a file must mean that it is gone
   */
  async look(names: Iterable<string>): Promise<FileStat[]> {
    const live = await this.#live()
    const livePaths = new Set(live.map((one) => one.path))
    const known = [...new Set([...livePaths, ...this.#literals(), ...names])]
    const rotated = await (this.#options.rotated === undefined ? this.#besides(live, known) : this.#named(known))
    const byInode = new Map<string, FileStat>()
    for (const one of live) {
      const name = originalOf(one.path, livePaths) ?? one.path
      if (!byInode.has(one.inode)) byInode.set(one.inode, { ...one, name })
    }
    for (const one of rotated) if (!byInode.has(one.inode)) byInode.set(one.inode, one)
    checkCount(this.#options.live.join(', '), byInode.size, this.#options)
    return [...byInode.values()]
  }

  async #live(): Promise<FileStat[]> {
    const { live, folder } = this.#options
    const paths: string[] = []
    for (const pattern of live) {
      const path = resolve(folder, pattern)
      const globFolder = folderOf(path)
      if (globFolder === undefined || (await statIfThere(path, ABSENT)) !== undefined) paths.push(path)
      else paths.push(...(await this.#match(pattern, globFolder)))
    }
    return await sight([...new Set(paths)].sort().map((path) => ({ path, name: path, isLive: true })))
  }

  #literals(): string[] {
    const { live, folder } = this.#options
    return live.map((pattern) => resolve(folder, pattern)).filter((path) => folderOf(path) === undefined)
  }

  /** Rotated files by their usual names, in the folders of the names and of the files that they link to. */
  async #besides(live: readonly FileStat[], names: readonly string[]): Promise<FileStat[]> {
    const bases = names.map((name) => ({ base: name, name }))
    const homes = new Map<string, string>()
    for (const { path, inode } of live) {
      const key = `${path}\0${inode}`
      const home = this.#homes.get(key) ?? (await realpath(path).catch(() => path))
      homes.set(key, home)
      if (home !== path) bases.push({ base: home, name: path })
    }
    this.#homes = homes
    const found: Wanted[] = []
    for (const [folder, inFolder] of Map.groupBy(bases, ({ base }) => dirname(base))) {
      const nameOf = new Map(inFolder.map(({ base, name }) => [base, name]))
      const originals = new Set(nameOf.keys())
      for (const entry of await namesIn(folder)) {
        const path = join(folder, entry)
        const name = nameOf.get(originalOf(path, originals) ?? '')
        if (name !== undefined) found.push({ path, name, isLive: false })
      }
    }
    return await sight(found)
  }

  /** Rotated files by the specified globs, each for the name with which its own has most in common. */
  async #named(names: readonly string[]): Promise<FileStat[]> {
    const { rotated = [], folder } = this.#options
    const found: Wanted[] = []
    for (const pattern of rotated) {
      const globFolder = folderOf(resolve(folder, pattern))
      const paths = globFolder === undefined ? [resolve(folder, pattern)] : await this.#match(pattern, globFolder)
      for (const path of paths) found.push({ path, name: nearest(path, names), isLive: false })
    }
    return await sight(found)
  }

  async #match(pattern: string, globFolder: string): Promise<string[]> {
    const { folder } = this.#options
    // A glob silently finds nothing without permission, or without a descriptor: this call reports that.
    await namesIn(globFolder)
    const found: string[] = []
    for await (const path of matching(pattern, folder)) found.push(resolve(folder, path))
    return found.sort()
  }
}

interface Wanted {
  readonly path: string
  readonly name: string
  readonly isLive: boolean
}

/** The name that a rotated file probably had: the one with the longest common prefix. */
function nearest(path: string, names: readonly string[]): string {
  let best = path
  let bestLength = 0
  for (const name of names) {
    let length = 0
    while (length < name.length && name[length] === path[length]) length += 1
    if (length > bestLength) [best, bestLength] = [name, length]
  }
  return best
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (thrown) {
    if (ABSENT.includes(errnoOf(thrown))) return []
    throw thrown
  }
}

/** Those of the wanted that exist and are regular files. */
async function sight(wanted: readonly Wanted[]): Promise<FileStat[]> {
  const stats: FileStat[] = []
  for (let from = 0; from < wanted.length; from += STATS_AT_ONCE) {
    const some = wanted.slice(from, from + STATS_AT_ONCE)
    const found = await Promise.all(some.map(({ path }) => statIfThere(path, ABSENT)))
    for (const [i, one] of some.entries()) {
      const entry = found[i]
      if (entry?.isFile() !== true) continue
      stats.push({
        ...one,
        ...fileIdOf(entry),
        sizeBytes: Number(entry.size),
        changedMs: Number(entry.mtimeNs) / 1e6,
      })
    }
  }
  return stats
}

// From what a user names (paths, globs, `-`) to existing files.

import type { BigIntStats, Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errnoOf, SluiceError } from '../../../base/errors.ts'
import { cannotRead, quotePath } from './errors.ts'
import { type FileId, fileIdOf } from './identity.ts'

/** What is to be read. Paths are absolute; those of files with all links resolved. */
export type Found =
  | FoundFile
  | { readonly kind: 'special'; readonly path: string; readonly inode: string }
  | { readonly kind: 'stdin' }

/** A regular file. */
export interface FoundFile extends FileId {
  readonly kind: 'file'
  readonly path: string
  readonly sizeBytes: number
  /** The folder in which it was searched for, with all links resolved: that of its glob, or its own. */
  readonly within: string
}

export interface ListOptions {
  /** Whether a path is preferred among several that name one file. */
  readonly isKnown?: (path: string) => boolean
  /** Whether pipes and devices may be read; undefined if the file must be readable from any byte. */
  readonly allowSpecial: boolean | undefined
  /** The most files; {@link MOST_FILES} if undefined. */
  readonly maxFiles?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called for matches of a glob that are skipped. */
  readonly onNote?: ((note: string) => void) | undefined
}

/** The most files of a source by default: each has a position, which is stored and kept in memory. */
export const MOST_FILES = 100_000

/**
 * Finds the named files, in the order of their paths by code unit, each once; standard input comes last.
 *
 * A name that exists is that file, whatever characters it contains; otherwise it is a glob, and so is one with `*` or
 * `?`. A folder in a glob that exists is that folder, as in `logs [prod]/*.log`; a character in brackets always stands
 * for itself: `f[[]1]*.log`. A text that is not a file is split at its commas, except within braces. Directories that a
 * glob matches are left out, and broken links, with a note.
 *
 * @throws {SluiceError} SOURCE_MISSING if a name or glob matches nothing; SOURCE_UNREADABLE for a named directory, and
 *   for pipes, sockets and devices unless they are allowed; SOURCE_LIMIT for too many
 */
export async function listFiles(input: string | readonly string[], options: ListOptions): Promise<Found[]> {
  const found: Found[] = []
  for (const name of typeof input === 'string' ? await namesIn(input) : input) {
    options.signal?.throwIfAborted()
    found.push(...(await findNamed(name, options)))
    checkCount(name, found.length, options)
  }
  const { isKnown = () => false } = options
  const byInode = new Map<string, Found>()
  for (const one of found.sort(byPath)) {
    const key = one.kind === 'stdin' ? one.kind : one.inode
    const other = byInode.get(key)
    if (other === undefined || (one.kind === 'file' && isKnown(one.path) && !isKnown(pathOf(other))))
      byInode.set(key, one)
  }
  return [...byInode.values()].sort(byPath)
}

/**
 * @throws {SluiceError} SOURCE_LIMIT for more files than a source reads
 */
export function checkCount(
  name: string,
  files: number,
  { maxFiles = MOST_FILES }: Pick<ListOptions, 'maxFiles'>,
): void {
  if (files <= maxFiles) return
  const found = `with it there are over ${maxFiles.toLocaleString('en-US')} files`
  const message = `Cannot read ${quotePath(name)}: ${found}; name fewer, or raise maxFiles`
  throw new SluiceError('SOURCE_LIMIT', message, { source: name, limit: maxFiles, found: files })
}

function pathOf(one: Found): string {
  return one.kind === 'stdin' ? '' : one.path
}

async function namesIn(input: string): Promise<string[]> {
  if ((await statIfThere(input)) !== undefined) return [input]
  const names: string[] = []
  for (const name of splitAtCommas(input)) {
    const isThere = (await statIfThere(name)) !== undefined
    names.push(isThere ? name : name.trim())
  }
  return names.filter((name) => name !== '')
}

/** Splits at commas outside of braces: `{a,b}.log` is one glob. */
export function splitAtCommas(text: string): string[] {
  const names: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]
    if (char === '{') depth += 1
    else if (char === '}') depth = Math.max(0, depth - 1)
    else if (char === ',' && depth === 0) {
      names.push(text.slice(from, i))
      from = i + 1
    }
  }
  names.push(text.slice(from))
  return names
}

async function findNamed(name: string, options: ListOptions): Promise<Found[]> {
  if (name === '-') return [{ kind: 'stdin' }]
  const stats = await statIfThere(name)
  if (stats?.isDirectory() === true) checkIsFile('read', name, stats)
  if (stats !== undefined) {
    const named = await identify(name, stats, options)
    // A file that happens to be called `*.log` must not hide the matches.
    return /[*?]/.test(name) ? [named, ...(await findMatching(name, options))] : [named]
  }
  const folder = folderOf(name)
  if (folder === undefined) {
    const message = `Cannot read ${quotePath(name)}: there is no such file in ${quotePath(dirname(resolve(name)))}`
    throw new SluiceError('SOURCE_MISSING', message, { source: name })
  }
  const found = await findMatching(name, options)
  if (found.length === 0) throw await noMatch(name, folder)
  return found
}

async function findMatching(pattern: string, options: ListOptions): Promise<Found[]> {
  const found: Found[] = []
  const within = await realpath(folderOf(pattern) ?? dirname(pattern)).catch(() => undefined)
  for await (const path of matching(pattern)) {
    options.signal?.throwIfAborted()
    checkCount(pattern, found.length, options)
    const stats = await statFound(path)
    if (stats === undefined) {
      options.onNote?.(`${quotePath(path)} is skipped: it is a broken link, or gone since it was listed`)
      continue
    }
    if (!stats.isDirectory()) found.push(await identify(path, stats, options, within))
  }
  return found
}

async function identify(path: string, stats: BigIntStats, options: ListOptions, within?: string): Promise<Found> {
  if (stats.isFile()) {
    const real = await realPathOf(path)
    const sizeBytes = Number(stats.size)
    return { kind: 'file', path: real, sizeBytes, within: within ?? dirname(real), ...fileIdOf(stats) }
  }
  const kind = specialKind(stats)
  if (options.allowSpecial && kind !== 'socket') return { kind: 'special', path: resolve(path), ...fileIdOf(stats) }
  throw refuseSpecial(path, kind, options.allowSpecial === undefined ? COPY_IT : STREAM_IT)
}

/** What can be done about a named pipe. */
const STREAM_IT = 'allow it with allowSpecial, or read it as standard input with -'
export const COPY_IT = 'write its output to a file first'

/** The error for a file that is not regular and may not be read. */
export function refuseSpecial(path: string, kind: string, advice: string = STREAM_IT): SluiceError {
  return refuseKind('read', path, kind, kind === 'socket' ? '' : `: ${advice}`)
}

function refuseKind(act: string, path: string, kind: string, way: string): SluiceError<'SOURCE_UNREADABLE'> {
  const isFolder = kind === 'directory'
  const found = isFolder ? 'it is a directory, name the files in it (EISDIR)' : `it is a ${kind}, not a file${way}`
  const message = `Cannot ${act} ${quotePath(path)}: ${found}`
  const errno = isFolder ? 'EISDIR' : 'unknown'
  return new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno })
}

/** Rejects what is there and is not a file. */
export function checkIsFile(act: 'read' | 'follow', path: string, stats: BigIntStats | Stats): void {
  if (!stats.isFile()) throw refuseKind(act, path, stats.isDirectory() ? 'directory' : specialKind(stats), '')
}

/** What a file that is neither regular nor a directory is, for people. */
export function specialKind(stats: Pick<BigIntStats | Stats, 'isFIFO' | 'isSocket'>): string {
  if (stats.isFIFO()) return 'pipe'
  return stats.isSocket() ? 'socket' : 'device'
}

async function noMatch(pattern: string, folder: string): Promise<SluiceError> {
  let found = `no file in ${quotePath(folder)} matches`
  try {
    await readdir(folder)
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT') return cannotRead(folder, 0, thrown)
    found = `there is no folder ${quotePath(folder)}`
  }
  const message = `Cannot read ${quotePath(pattern)}: ${found}`
  return new SluiceError('SOURCE_MISSING', message, { source: pattern })
}

const GLOB_CHARACTERS = /[*?[{(]/

/** The folder where a glob begins to search; undefined for a name that is not a glob. */
export function folderOf(pattern: string): string | undefined {
  const first = pattern.search(GLOB_CHARACTERS)
  if (first === -1) return undefined
  return resolve(pattern.slice(0, pattern.lastIndexOf('/', first) + 1))
}

/**
 * The matches of a glob. An existing folder in it is that folder, whatever its name contains except `*` and `?`.
 *
 * @param within - the folder that relative globs refer to
 */
export async function* matching(pattern: string, within: string = '.'): AsyncGenerator<string, void> {
  const parts = pattern.split('/')
  let at = 0
  const begin = (): string => parts.slice(0, at).join('/')
  if (parts.slice(0, -1).some((part) => BRACKETS.test(part))) {
    while (at < parts.length - 1 && !/[*?]/.test(parts[at] ?? '')) {
      at += 1
      const folder = resolve(within, `${begin()}/`)
      if ((await statIfThere(folder))?.isDirectory() === true) continue
      at -= 1
      break
    }
  }
  const prefix = at === 0 ? '' : `${begin()}/`
  const cwd = resolve(within, prefix)
  for await (const path of fs.glob(parts.slice(at).join('/'), { cwd })) yield `${prefix}${path}`
}

const BRACKETS = /[[{(]/

/** The error for a name that does not exist: a list of many names is too long for one. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']

export async function statIfThere(path: string, absent: readonly string[] = ABSENT): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch (thrown) {
    if (absent.includes(errnoOf(thrown))) return undefined
    throw cannotRead(path, 0, thrown)
  }
}

/**
 * Whether a name listed in its folder leads nowhere: invalid UTF-8 in it was replaced, and finds nothing. Otherwise
 * undefined.
 */
async function statFound(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch (thrown) {
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(thrown))) throw cannotRead(path, 0, thrown)
    if (!path.includes('\ufffd')) return undefined
    const message = `Cannot read ${quotePath(path)}: its name is not valid UTF-8, rename it or leave it out`
    throw new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno: 'EILSEQ' }, { cause: thrown })
  }
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (thrown) {
    throw cannotRead(path, 0, thrown)
  }
}

function byPath(a: Found, b: Found): number {
  if (a.kind === 'stdin' || b.kind === 'stdin') return a.kind === b.kind ? 0 : a.kind === 'stdin' ? 1 : -1
  // Not localeCompare: the order must be the same on every machine.
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

// Classifies a file that nobody follows by its inode: a known one, a copy of one, or another.

import { unreachable } from '../../../base/invariant.ts'
import type { Encoding } from '../../kits/files/bytes/encoding.ts'
import type { Charset } from '../../kits/files/characters/charset.ts'
import { Content, type ContentOptions, type Relation } from './content.ts'
import type { FileRegistry } from './file-registry.ts'
import type { Followed } from './followed.ts'
import type { FileStat } from './lister.ts'
import type { Finished, Place } from './place.ts'
import { beginAlike } from './prefix-hash.ts'
import { placePassed } from './start-position.ts'

/**
 * The result of classifying a file:
 *
 * - `lost one`: a file that was searched for; it continues here.
 * - `finished`: a finished one, which holds no more than was read.
 * - `resumed`: a finished one that has become longer.
 * - `copy`: a copy of a file that is still being read where it is.
 * - `new`: none of these. A compressed one may be corrupt.
 * - `unclear`: there is too little of it yet.
 */
export type FileIdentity<T> =
  | { readonly kind: 'lost one'; readonly file: Followed<T>; readonly encoding: Encoding }
  | { readonly kind: 'finished'; readonly known: Finished; readonly encoding: Encoding }
  | { readonly kind: 'resumed'; readonly known: Finished; readonly encoding: Encoding }
  | { readonly kind: 'copy' | 'unclear' }
  | {
      readonly kind: 'new'
      readonly encoding: Encoding
      readonly prefixHash: string
      /** Why none of it can be read. */
      readonly brokenReason: string | undefined
      /** What is remembered of a plain file that is not text. */
      readonly passed?: Finished
    }

/** Minimum bytes that must match before two files with different inodes count as the same: logs may begin alike. */
const TELLING_BYTES = 64

/** Files shorter than this are not classified yet unless they are named: they may be copies still being written. */
const MIN_BYTES = 16

/** How a file is classified. */
export interface Evidence<T> {
  readonly registry: FileRegistry<T>
  /**
   * Files under their own names that are classified in the same scan, and may have been copied before anybody saw them.
   */
  readonly coming: readonly FileStat[]
  /** Whether the file has been unchanged for the grace time. */
  readonly isSettled: boolean
  /** The encoding of text; UTF-8 if undefined. */
  readonly charset: Charset | undefined
}

/**
 * Classifies a file by its content.
 *
 * @throws the system's error, if it cannot be opened
 */
export async function classify<T>(
  stat: FileStat,
  evidence: Evidence<T>,
  options: ContentOptions,
): Promise<FileIdentity<T>> {
  const { registry, isSettled, charset } = evidence
  const content = await Content.open(stat.path, options)
  try {
    // Another file has replaced it since: the next scan sees it.
    if (content.inode !== stat.inode) return { kind: 'unclear' }
    return (
      (await findLost(content, stat, registry)) ??
      (await findFinished(content, stat, registry)) ??
      (await findCopied(content, stat, evidence, options)) ??
      (await classifyNew(content, stat, isSettled, charset))
    )
  } finally {
    await content.close()
  }
}

async function findLost<T>(
  content: Content,
  stat: FileStat,
  registry: FileRegistry<T>,
): Promise<FileIdentity<T> | undefined> {
  const lost = registry.lost.sort(bySameness(stat))
  for (const file of lost) {
    const { place } = file
    const isUnread = place.offset === 0 && place.inode === stat.inode && content.encoding === 'plain'
    if (isUnread) return { kind: 'lost one', file, encoding: content.encoding }
    const relation = await content.relate(place)
    const isFound = relation.kind === 'goes on' && !(relation.hasMore && place.isPartial && isWeak(place, stat))
    if (isFound) return { kind: 'lost one', file, encoding: content.encoding }
  }
  return undefined
}

async function findFinished<T>(
  content: Content,
  stat: FileStat,
  registry: FileRegistry<T>,
): Promise<FileIdentity<T> | undefined> {
  const { encoding } = content
  for (const known of registry.finished.files.toReversed().sort(bySameness(stat))) {
    const isDoubtful = isWeak(known, stat)
    if (stat.isLive && isDoubtful) continue
    const relation = await relateToFinished(content, known)
    switch (relation.kind) {
      case 'goes on':
        if (relation.hasMore && isDoubtful) break
        return { kind: relation.hasMore && !known.isPassed ? 'resumed' : 'finished', known, encoding }
      case 'cut':
        // A file that starts over under its name may begin as it did before.
        if (!stat.isLive) return { kind: 'finished', known, encoding }
        break
      case 'other':
        break
      default:
        unreachable(relation)
    }
  }
  return undefined
}

/** As `Content.relate`, without reading a compressed file through if its size says enough. */
async function relateToFinished(content: Content, known: Finished): Promise<Relation> {
  const isStored = content.encoding !== 'plain'
  if (!isStored || !beginAlike(content.prefixHash, known.prefixHash)) return await content.relate(known)
  if (known.storedBytes > 0 && known.storedBytes === content.sizeBytes) return { kind: 'goes on', hasMore: false }
  const statedBytes = await content.statedBytes()
  const isWhole = content.beginsLike(known) && statedBytes === known.offset % 2 ** 32
  return isWhole ? { kind: 'goes on', hasMore: false } : await content.relate(known)
}

async function findCopied<T>(
  content: Content,
  stat: FileStat,
  evidence: Evidence<T>,
  options: ContentOptions,
): Promise<FileIdentity<T> | undefined> {
  if (stat.isLive) return undefined
  const isTiny = content.encoding === 'plain' && content.sizeBytes < MIN_BYTES
  for (const { path, inode, place } of originalsOf(content, stat, evidence)) {
    const original = await Content.open(path, options)
    try {
      // It was renamed since it was seen: the next scan tells.
      if (original.inode !== inode) return { kind: 'unclear' }
      if (!(await content.isCopyOf(original))) {
        // Or it was truncated at any moment up to now: this may be the copy that was made before.
        if (place !== undefined && (await original.relate(place)).kind !== 'goes on') return { kind: 'unclear' }
        continue
      }
      if (!isTiny || content.sizeBytes === original.sizeBytes) return { kind: 'copy' }
      // A few bytes match many files: only if more of them follow were they a copy's.
      if (!evidence.isSettled) return { kind: 'unclear' }
    } finally {
      await original.close()
    }
  }
  return undefined
}

/** A file that another may be a copy of. */
interface Original {
  readonly path: string
  readonly inode: string
  /** How far it was read; undefined if unread. */
  readonly place: Place | undefined
}

/** What a file may be a copy of: what is being read, or will be, and is still where it was. */
function originalsOf<T>(content: Content, stat: FileStat, { registry, coming }: Evidence<T>): Original[] {
  const originals: Original[] = []
  for (const { isLost, place, firstPrefixHash } of registry.files) {
    const isUnread = place.offset === 0
    if (isLost || (isUnread && place.name !== stat.name)) continue
    if (!beginAlike(content.prefixHash, isUnread ? firstPrefixHash : place.prefixHash)) continue
    originals.push({ path: place.path, inode: place.inode, place: isUnread ? undefined : place })
  }
  for (const { path, inode, name } of coming) {
    if (name === stat.name && registry.ofInode(inode) === undefined) originals.push({ path, inode, place: undefined })
  }
  return originals
}

async function classifyNew<T>(
  content: Content,
  stat: FileStat,
  isSettled: boolean,
  charset: Charset | undefined,
): Promise<FileIdentity<T>> {
  const { encoding, prefixHash } = content
  const brokenReason = content.foreignAs(charset)
  if (brokenReason !== undefined) {
    const passed = await placePassed(stat, content)
    return { kind: 'new', encoding, prefixHash, brokenReason, passed }
  }
  if (encoding === 'plain') {
    const isClear = stat.isLive || isSettled || content.sizeBytes >= MIN_BYTES
    return isClear ? { kind: 'new', encoding, prefixHash, brokenReason: undefined } : { kind: 'unclear' }
  }
  const found = await content.readThrough(0)
  if (found.kind === 'sound') return { kind: 'new', encoding, prefixHash, brokenReason: undefined }
  return isSettled ? { kind: 'new', encoding, prefixHash, brokenReason: found.reason } : { kind: 'unclear' }
}

function isWeak(place: Place, stat: FileStat): boolean {
  return place.inode !== stat.inode && place.storedBytes === 0 && place.offset < TELLING_BYTES
}

/** Files that were where this one is come first. */
function bySameness(stat: FileStat): (a: Candidate, b: Candidate) => number {
  const rank = (one: Candidate): number => (one.inode === stat.inode ? 0 : one.name === stat.name ? 1 : 2)
  return (a, b) => rank(a) - rank(b)
}

type Candidate = { readonly inode: string; readonly name: string }

// Where a first run begins in files that already exist.

import { type Charset, lineStarts } from '../../kits/files/characters/charset.ts'
import { fingerprintOf, HEAD_BYTES, readAt } from '../../kits/files/identity.ts'
import { LAST_BYTES } from '../../kits/files/records/open-line.ts'
import type { Content } from './content.ts'
import { unread } from './followed.ts'
import type { FileStat } from './lister.ts'
import type { Finished, Place } from './place.ts'
import { prefixHashOf } from './prefix-hash.ts'

const LF = 0x0a

/** The block size for finding the end of the last whole line. */
const SEARCHED_BYTES = 64 * 1024

/** The end of a plain file's last whole line: a half-written line is to be returned whole. */
export async function placeAtEnd(
  stat: FileStat,
  content: Content,
  maxLineBytes: number,
  charset: Charset | undefined,
): Promise<Place> {
  const offset = await lastLineEnd(content, maxLineBytes, charset)
  return await placeAt(stat, content, offset)
}

/** A file that is not to be read: it was rotated away before the first run began, or is complete. */
export async function placePassed(stat: FileStat, content: Content): Promise<Finished> {
  if (content.encoding === 'plain') return { ...(await placeAt(stat, content, content.sizeBytes)), isPassed: true }
  const { prefixHash, sizeBytes } = content
  const offset = (await content.statedBytes()) ?? 0
  return { ...unread(stat), storedBytes: sizeBytes, prefixHash, offset, isPassed: true }
}

async function placeAt(stat: FileStat, content: Content, offset: number): Promise<Place> {
  const before = await readAt(content.handle, Math.max(0, offset - LAST_BYTES), Math.min(offset, LAST_BYTES))
  const prefixHash = prefixHashOf(content.head.subarray(0, Math.min(offset, HEAD_BYTES)))
  return { ...unread(stat), prefixHash, tail: fingerprintOf(before), offset, line: offset === 0 ? 1 : 0 }
}

async function lastLineEnd(content: Content, maxLineBytes: number, charset: Charset | undefined): Promise<number> {
  const { handle, sizeBytes } = content
  for (let to = sizeBytes; to > 0 && sizeBytes - to <= maxLineBytes; ) {
    // At the beginning of a unit, however many bytes that has.
    const from = Math.max(0, to - (to % 2) - SEARCHED_BYTES)
    const bytes = await readAt(handle, from, to - from)
    const end = charset === undefined ? bytes.lastIndexOf(LF) + 1 : ([...lineStarts(bytes, LF, charset)].at(-1) ?? 0)
    if (end > 0) return from + end
    to = from
  }
  // A line that is too long: its rest is read as a line too short to matter.
  return sizeBytes > maxLineBytes ? sizeBytes : 0
}

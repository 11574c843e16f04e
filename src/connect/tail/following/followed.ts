// One followed file: where it is, how far it was read, and whether there may be more.

import type { Encoding } from '../../kits/files/bytes/encoding.ts'
import { fingerprintOf } from '../../kits/files/identity.ts'
import type { FileStat } from './lister.ts'
import type { Opened } from './opened.ts'
import type { Finished, Place } from './place.ts'

/**
 * A followed file.
 *
 * It is _lost_ while nobody knows where its content is: after a restart until it was found again, or when its file was
 * truncated, or removed while it was not open. A lost file is searched for by its content.
 */
export class Followed<T> {
  /** The position when the file was closed or opened last; what `opened` has read since is not included. */
  #place: Place
  /** The position as last computed; undefined once a line was taken. */
  #now: Place | undefined
  encoding: Encoding = 'plain'
  opened: Opened<T> | undefined
  /** How far a plain file was read; beyond the position if a line is incomplete. */
  readBytes: number
  /** The last known size. */
  sizeBytes = 0
  /** When it was created, if known. */
  born: string | undefined
  /** Whether there may be unread content. */
  isDue = false
  /** Whether it could not be opened, and waits for the next scan. */
  isWaiting = false
  /** Since when nothing changed, in clock milliseconds. */
  quietSinceMs = 0
  /** Since when its content is lost; undefined if it is not. */
  lostSinceMs: number | undefined
  /** How many scans have not found it since. */
  looks = 0
  /** Whether the last scan saw it under some name. */
  isSighted = false
  /** How its content began when it was classified; empty if it changed since. For read content, see its position. */
  firstPrefixHash = ''
  /** Whether its file has no name any more, so that it cannot be opened again. */
  isUnlinked = false
  /** Why a file cannot be read. */
  brokenReason: string | undefined
  /** What is remembered of an unreadable file, so that it is not examined again. */
  passed: Finished | undefined
  /** Whether it was searched for in vain: nothing more will come of it. */
  isGivenUp = false
  /** Whether its last line was completed: it is finished once its lines are taken. */
  isEnded = false

  constructor(place: Place) {
    this.#place = place
    this.readBytes = place.offset
  }

  /** An unread file. */
  static fresh<T>(stat: FileStat): Followed<T> {
    return new Followed(unread(stat))
  }

  get name(): string {
    return this.#place.name
  }

  get path(): string {
    return this.#place.path
  }

  get inode(): string {
    return this.#place.inode
  }

  get number(): number {
    return this.#place.number
  }

  get isLost(): boolean {
    return this.lostSinceMs !== undefined
  }

  /** Whether it is where it is followed, and nothing has replaced it. */
  get isAtHome(): boolean {
    return !this.isLost && this.isSighted && this.path === this.name
  }

  get place(): Place {
    if (this.opened === undefined) return this.#place
    this.#now ??= { ...this.#place, ...this.opened.lines.reached() }
    return this.#now
  }

  /** Numbers it among the files of its name. */
  begin(number: number): void {
    this.#place = { ...this.#place, number }
  }

  /** Called when lines were taken. */
  moved(): void {
    this.#now = undefined
  }

  /** Records where its file was seen. */
  find(stat: FileStat, encoding: Encoding, nowMs: number): void {
    this.lostSinceMs = undefined
    this.encoding = encoding
    this.quietSinceMs = nowMs
    this.isDue = true
    const storedBytes = encoding === 'plain' ? 0 : stat.sizeBytes
    this.#change({ inode: stat.inode, storedBytes })
    this.see(stat, nowMs)
  }

  /** Records what a scan has seen of it. */
  see(stat: FileStat, nowMs: number): void {
    const { path, sizeBytes, changedMs } = stat
    this.isSighted = true
    this.born = stat.born
    if (this.isWaiting) this.isDue = true
    this.isWaiting = false
    if (sizeBytes !== this.sizeBytes || changedMs !== this.#place.changedMs) {
      this.quietSinceMs = nowMs
      this.isDue = true
      this.firstPrefixHash = ''
    }
    if (this.encoding === 'plain' && sizeBytes !== this.readBytes) this.isDue = true
    this.sizeBytes = sizeBytes
    if (path !== this.#place.path || changedMs !== this.#place.changedMs) this.#change({ path, changedMs })
  }

  /** Whether a sighting by its inode is another file, which has reused it. */
  isAnother({ born }: FileStat): boolean {
    return this.opened === undefined && born !== undefined && this.born !== undefined && born !== this.born
  }

  /** Whether the file has become shorter than what was read of it. */
  get isCut(): boolean {
    return this.encoding === 'plain' && this.sizeBytes < this.readBytes
  }

  lose(nowMs: number): void {
    this.lostSinceMs = nowMs
    this.looks = 0
    this.isDue = false
    this.isSighted = false
  }

  async close(): Promise<void> {
    const { opened } = this
    if (opened === undefined) return
    this.#place = this.place
    this.#now = undefined
    this.opened = undefined
    this.readBytes = this.#place.offset
    await opened.close()
  }

  asFinished(): Finished {
    return this.passed ?? { ...this.place, isPassed: false }
  }

  #change(changes: Partial<Place>): void {
    this.#place = { ...this.#place, ...changes }
    if (this.#now !== undefined) this.#now = { ...this.#now, ...changes }
  }
}

/** The position of an unread file. */
export function unread({ path, name, inode, changedMs }: FileStat): Place {
  return {
    path,
    name,
    number: 0,
    inode,
    storedBytes: 0,
    changedMs,
    prefixHash: '',
    tail: fingerprintOf(Buffer.alloc(0)),
    offset: 0,
    line: 1,
    isPartial: false,
  }
}

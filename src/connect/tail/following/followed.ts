// One file that is followed: where it is, how far it was read, and whether there may be more.

import type { Encoding } from '../../kits/files/bytes/encoding.ts'
import { fingerprintOf } from '../../kits/files/identity.ts'
import type { FileStat } from './lister.ts'
import type { Opened } from './opened.ts'
import type { Finished, Place } from './place.ts'

/**
 * A file that is followed.
 *
 * It is _lost_ while nobody knows where its content is: after a restart until it was found again, or when its file was
 * cut short, or is gone without having been open. A lost file is looked for by its content.
 */
export class Followed<T> {
  /** The place that was reached when the file was closed or opened last; what `opened` has read comes on top. */
  #place: Place
  /** The place as it was last worked out; undefined once a line was taken. */
  #now: Place | undefined
  encoding: Encoding = 'plain'
  opened: Opened<T> | undefined
  /** How far a plain file was read; beyond the place if a line is not whole. */
  readBytes: number
  /** Size as it was seen last. */
  sizeBytes = 0
  /** When it was made, as far as that is known. */
  born: string | undefined
  /** Whether there may be something that was not read. */
  isDue = false
  /** Whether it could not be opened, and waits for the next look. */
  isWaiting = false
  /** Since when nothing changed, on the clock. */
  quietSinceMs = 0
  /** Since when it is not known where its content is; undefined where it is. */
  lostSinceMs: number | undefined
  /** How many looks have not found it since. */
  looks = 0
  /** Whether the last look saw it under some name. */
  isSighted = false
  /** How its content began when it was judged; empty if it changed since. Of what has been read, its place tells. */
  firstPrefixHash = ''
  /** Whether its file has no name any more, and so nobody can open it anew. */
  isUnlinked = false
  /** Why a file cannot be read. */
  brokenReason: string | undefined
  /** What is remembered of a file that cannot be read, so that it is not looked at again. */
  passed: Finished | undefined
  /** Whether it was looked for in vain: nothing more will come of it. */
  isGivenUp = false
  /** Whether its last line was made complete: it is over once its lines are taken. */
  isEnded = false

  constructor(place: Place) {
    this.#place = place
    this.readBytes = place.offset
  }

  /** A file of which nothing was read. */
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

  /** Whether it stands where it is followed, and nothing has taken its place. */
  get isAtHome(): boolean {
    return !this.isLost && this.isSighted && this.path === this.name
  }

  get place(): Place {
    if (this.opened === undefined) return this.#place
    this.#now ??= { ...this.#place, ...this.opened.lines.reached() }
    return this.#now
  }

  /** Gives it its number among the files of its name. */
  begin(number: number): void {
    this.#place = { ...this.#place, number }
  }

  /** Says that lines were taken. */
  moved(): void {
    this.#now = undefined
  }

  /** Takes up where its file was seen. */
  find(stat: FileStat, encoding: Encoding, nowMs: number): void {
    this.lostSinceMs = undefined
    this.encoding = encoding
    this.quietSinceMs = nowMs
    this.isDue = true
    const storedBytes = encoding === 'plain' ? 0 : stat.sizeBytes
    this.#change({ inode: stat.inode, storedBytes })
    this.see(stat, nowMs)
  }

  /** Takes up what a look has seen of it. */
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

  /** Whether a sighting by its inode is of another file, that has taken it since. */
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

/** The place of a file of which nothing was read. */
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

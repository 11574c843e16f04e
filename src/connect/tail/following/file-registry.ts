// The files of a tail by name, each name's in the order in which they are to be read.

import { FinishedFiles, REMEMBERED } from './finished.ts'
import { Followed } from './followed.ts'
import type { FileStat } from './lister.ts'
import type { Finished, TailPosition } from './place.ts'

/**
 * Which files are followed, and which were finished.
 *
 * The files of one name are read one after the other: renamed ones first, the current one last. Files of different
 * names are independent.
 */
export class FileRegistry<T> {
  /** By name, oldest first. An empty queue is removed. */
  readonly #queues = new Map<string, Followed<T>[]>()
  readonly #byInode = new Map<string, Followed<T>>()
  readonly finished: FinishedFiles

  /** Files of a position are lost until they are found again. */
  constructor(position: TailPosition | undefined, nowMs: number) {
    this.finished = new FinishedFiles(position?.finished, position?.forgottenMs)
    for (const place of position?.followed ?? []) {
      const file = new Followed<T>(place)
      file.lose(nowMs)
      this.#queueOf(place.name).push(file)
    }
  }

  get names(): string[] {
    return [...this.#queues.keys()]
  }

  get files(): Followed<T>[] {
    return [...this.#queues.values()].flat()
  }

  get lost(): Followed<T>[] {
    return this.files.filter((file) => file.isLost)
  }

  /** The file of a name that is read now. */
  first(name: string): Followed<T> | undefined {
    return this.#queues.get(name)?.[0]
  }

  /** The file that exists under its own name; undefined if there is no such file. */
  atHome(name: string): Followed<T> | undefined {
    return this.#queues.get(name)?.findLast((file) => file.isAtHome)
  }

  hasSuccessor(file: Followed<T>): boolean {
    return (this.#queues.get(file.name)?.at(-1) ?? file) !== file
  }

  ofInode(inode: string): Followed<T> | undefined {
    return this.#byInode.get(inode)
  }

  /** Follows a file that was named, after all others of its name. */
  append(file: Followed<T>): void {
    this.#queueOf(file.name).push(file)
    this.#byInode.set(file.inode, file)
  }

  /**
   * Follows a rotated file: before the current one of its name, and before younger files.
   *
   * @param isYounger - whether an unread file is younger than this one
   */
  insert(file: Followed<T>, isYounger: (other: Followed<T>) => boolean): void {
    const queue = this.#queueOf(file.name)
    const at = queue.findIndex((one) => one.isAtHome || (one.place.offset === 0 && !one.isLost && isYounger(one)))
    queue.splice(at === -1 ? queue.length : at, 0, file)
    this.#byInode.set(file.inode, file)
  }

  /** Follows a finished file again that has become longer. */
  resume(finished: Finished, file: Followed<T>): void {
    this.finished.remove(finished)
    this.#queueOf(file.name).unshift(file)
    this.#byInode.set(file.inode, file)
  }

  /** Marks a file as lost. */
  lose(file: Followed<T>, nowMs: number): void {
    this.#byInode.delete(file.inode)
    file.lose(nowMs)
  }

  /** Marks a lost file as found. */
  found(file: Followed<T>): void {
    this.#byInode.set(file.inode, file)
  }

  /** A file has other content now: the one followed is lost, the current content is followed as new. */
  split(file: Followed<T>, stat: FileStat, nowMs: number): Followed<T> {
    const fresh = Followed.fresh<T>(stat)
    fresh.find(stat, 'plain', nowMs)
    const queue = this.#queueOf(file.name)
    const at = queue.indexOf(file)
    // Half a line of which nothing is left was not read; a copy of it is new.
    if (file.place.offset > 0) {
      queue.splice(at + 1, 0, fresh)
      file.lose(nowMs)
    } else {
      queue.splice(at, 1, fresh)
    }
    this.#byInode.set(fresh.inode, fresh)
    return fresh
  }

  /** Numbers a file when it is read for the first time. */
  begin(file: Followed<T>): void {
    if (file.number > 0) return
    const queue = this.#queueOf(file.name)
    const known = [...queue, ...this.finished.files].filter(({ name }) => name === file.name)
    file.begin(1 + Math.max(0, ...known.map(({ number }) => number)))
  }

  finish(file: Followed<T>): void {
    this.drop(file)
    if (file.passed !== undefined || file.place.offset > 0 || file.place.storedBytes > 0)
      this.finished.add(file.asFinished())
  }

  /** Stops following a file. */
  drop(file: Followed<T>): void {
    const queue = this.#queueOf(file.name)
    queue.splice(queue.indexOf(file), 1)
    if (queue.length === 0) this.#queues.delete(file.name)
    if (this.#byInode.get(file.inode) === file) this.#byInode.delete(file.inode)
  }

  /** Forgets finished files over the limit. */
  trim(wallMs: number, isNeeded: (file: Finished) => boolean): void {
    this.finished.trim(REMEMBERED + 2 * this.#queues.size, wallMs, isNeeded)
  }

  position(): TailPosition {
    const { files: finished, forgottenMs } = this.finished
    const followed = this.files
      // Unread files are found again as they were found first, unless they look forgotten.
      .filter(({ place }) => place.offset > 0 || this.finished.isForgotten(place.name, place.changedMs))
      .map((file) => file.place)
    return { kind: 'tail', followed, finished, forgottenMs }
  }

  #queueOf(name: string): Followed<T>[] {
    const queue = this.#queues.get(name) ?? []
    this.#queues.set(name, queue)
    return queue
  }
}

// Scans the files: which were rotated, truncated, replaced or created, and what is to be read next.

import type { Charset } from '../../kits/files/characters/charset.ts'
import { classify, type FileIdentity } from './classify.ts'
import { Content } from './content.ts'
import type { FileRegistry } from './file-registry.ts'
import { Followed } from './followed.ts'
import type { FileStat, Lister } from './lister.ts'
import type { OpenFilesOptions } from './open-files.ts'
import { noteOn } from './open-retry.ts'
import { placeAtEnd, placePassed } from './start-position.ts'

export interface ScanOptions<T> extends Pick<OpenFilesOptions<T>, 'clock' | 'retry' | 'content' | 'maxLineBytes'> {
  readonly registry: FileRegistry<T>
  readonly lister: Lister
  readonly graceMs: number
  /** Where reading begins in files that exist at the first scan of a first run; undefined in a later run. */
  readonly from: 'start' | 'end' | undefined
  /** The encoding of text; UTF-8 if undefined. */
  readonly charset: Charset | undefined
  readonly onNote: (note: string) => void
  /** Whether what was read of a file is still there; opens it if necessary. */
  readonly isIntact: (file: Followed<T>) => Promise<boolean>
}

/** How many scans must have missed a file before it is given up: one may fall between two names of it. */
const MIN_LOOKS = 2

/** Keeps the file registry up to date. */
export class Scan<T> {
  readonly #options: ScanOptions<T>
  /** Whether the next scan is the first of a first run. */
  #isFirst: boolean
  /** Files of the first scan that could not be opened then, by inode. */
  readonly #leftOfFirst = new Set<string>()
  /** By inode, files that are ignored while they are unchanged. */
  #settled = new Map<string, FileStat>()
  /** By inode, files that are still too short, and since when. */
  #unclear = new Map<string, { readonly stat: FileStat; readonly sinceMs: number }>()
  /** What the last scan saw. */
  #paths: ReadonlySet<string> = new Set()
  /** Names whose next file is still unclear: the current one has to wait for it. */
  readonly #blocked = new Set<string>()

  constructor(options: ScanOptions<T>) {
    this.#options = options
    this.#isFirst = options.from !== undefined
  }

  isBlocked(name: string): boolean {
    return this.#blocked.has(name)
  }

  /**
   * Scans once.
   *
   * @throws {SluiceError} SOURCE_UNREADABLE for an error that is not temporary
   */
  async look(): Promise<void> {
    const { registry, lister, retry, clock } = this.#options
    let stats: FileStat[]
    try {
      stats = await lister.look(registry.names)
    } catch (thrown) {
      return retry.bear(pathOf(thrown), thrown, clock.nowMs())
    }
    const nowMs = clock.nowMs()
    const unknownFiles = this.#seeFollowed(stats, nowMs)
    this.#paths = new Set(stats.map(({ path }) => path))
    await this.#seeStrangers(unknownFiles, nowMs)
    this.#giveUp(nowMs)
    const live = new Set(stats.filter(({ isLive }) => isLive).map(({ inode }) => inode))
    registry.trim(clock.wallMs(), ({ inode }) => live.has(inode))
    this.#isFirst = false
  }

  /** Records what was seen of followed files, and returns the others. */
  #seeFollowed(stats: readonly FileStat[], nowMs: number): FileStat[] {
    const { registry } = this.#options
    const unknownFiles: FileStat[] = []
    const seen = new Set<Followed<T>>()
    for (const stat of stats) {
      const file = registry.ofInode(stat.inode)
      if (file === undefined || file.isAnother(stat)) {
        unknownFiles.push(stat)
        continue
      }
      seen.add(file)
      file.see(stat, nowMs)
      if (file.isCut) seen.add(this.replaced(file, nowMs))
    }
    for (const file of registry.files) {
      if (!seen.has(file) && !file.isLost && !file.isGivenUp) this.#miss(file, nowMs)
    }
    return unknownFiles
  }

  /** An open file is read to its end, wherever it is; another has to be found again. */
  #miss(file: Followed<T>, nowMs: number): void {
    file.isSighted = false
    if (file.opened !== undefined) file.isDue = true
    else if (file.place.offset > 0) this.#options.registry.lose(file, nowMs)
    else this.#dropUnread(file)
  }

  /** Stops following an unread file; its content is lost. */
  #dropUnread(file: Followed<T>): void {
    const { registry, onNote } = this.#options
    if (file.sizeBytes > 0) onNote(noteOn(file.path, `is gone: none of its ${file.sizeBytes} bytes was read`))
    registry.drop(file)
  }

  /** A file no longer holds what was read of it. */
  replaced(file: Followed<T>, nowMs: number): Followed<T> {
    const { registry, onNote } = this.#options
    const { path, name, inode, changedMs } = file.place
    onNote(noteOn(path, `was cut or replaced at byte ${file.readBytes}, is now ${file.sizeBytes} bytes: read as new`))
    const { sizeBytes, isSighted } = file
    return registry.split(file, { path, name, inode, changedMs, sizeBytes, isLive: isSighted && path === name }, nowMs)
  }

  async #seeStrangers(unknownFiles: readonly FileStat[], nowMs: number): Promise<void> {
    const { registry } = this.#options
    const unsettled = unknownFiles.filter((stat) => !this.#isSettled(stat))
    this.#settled = new Map(unknownFiles.filter((one) => this.#isSettled(one)).map((one) => [one.inode, one]))
    this.#unclear = new Map(
      unsettled.flatMap((one) => this.#unclear.get(one.inode) ?? []).map((one) => [one.stat.inode, one]),
    )
    this.#blocked.clear()
    for (const name of new Set(unsettled.filter(({ isLive }) => !isLive).map(({ name }) => name))) {
      const file = registry.atHome(name)
      if (file !== undefined && !(await this.#options.isIntact(file))) this.replaced(file, nowMs)
    }
    const known = new Set([
      ...registry.lost.map(({ inode }) => inode),
      ...registry.finished.files.map(({ inode }) => inode),
    ])
    // The files that are where they were come first: anything else that looks like them is a copy then.
    const inOrder = [...unsettled].sort(
      (a, b) => Number(known.has(b.inode)) - Number(known.has(a.inode)) || byAge(a, b),
    )
    const coming = inOrder.filter(({ isLive, path, name }) => isLive && path === name)
    for (const stat of inOrder) await this.#seeStranger(stat, coming, nowMs)
  }

  async #seeStranger(stat: FileStat, coming: readonly FileStat[], nowMs: number): Promise<void> {
    const { registry, content, retry } = this.#options
    const { name, isLive, path, sizeBytes } = stat
    if (sizeBytes === 0 && !isLive) return
    if (sizeBytes === 0)
      return this.#follow(stat, { kind: 'new', encoding: 'plain', prefixHash: '', brokenReason: undefined }, nowMs)
    const isOld = !isLive && registry.lost.length === 0 && registry.finished.ofInode(stat.inode) === undefined
    if (isOld && registry.finished.isForgotten(name, stat.changedMs)) return this.#settle(stat)
    try {
      if (this.#isOfFirst(stat) && (await this.#begin(stat))) return this.#settle(stat)
      this.#leftOfFirst.delete(stat.inode)
      const isSettled = this.#isQuiet(stat, nowMs) && !this.#isBeingMade(stat)
      const identity = await classify(stat, { registry, coming, isSettled, charset: this.#options.charset }, content)
      retry.succeeded(path)
      await this.#apply(stat, identity, nowMs)
    } catch (thrown) {
      content.signal.throwIfAborted()
      if (this.#isFirst) this.#leftOfFirst.add(stat.inode)
      retry.bear(path, thrown, nowMs)
      if (!isLive) this.#blocked.add(name)
    }
  }

  /** At the first scan of a first run: true if the file is not to be read, or not from its start. */
  async #begin(stat: FileStat): Promise<boolean> {
    const { registry, content, from, maxLineBytes, charset, clock } = this.#options
    if (stat.isLive && from === 'start') return false
    const open = await Content.open(stat.path, content)
    try {
      if (stat.isLive && open.encoding === 'plain') {
        const file = new Followed<T>(await placeAtEnd(stat, open, maxLineBytes, charset))
        file.find(stat, 'plain', clock.nowMs())
        registry.append(file)
      } else {
        registry.finished.add(await placePassed(stat, open))
      }
      return true
    } finally {
      await open.close()
    }
  }

  async #apply(stat: FileStat, identity: FileIdentity<T>, nowMs: number): Promise<void> {
    const { registry, onNote } = this.#options
    switch (identity.kind) {
      case 'lost one': {
        const { file, encoding } = identity
        const from = file.path
        await file.close()
        file.find(stat, encoding, nowMs)
        registry.found(file)
        if (from !== stat.path)
          onNote(noteOn(stat.path, `holds what was ${JSON.stringify(from)}: read on from byte ${file.place.offset}`))
        return
      }
      case 'finished': {
        const { path, inode, changedMs, sizeBytes } = stat
        const storedBytes = identity.encoding === 'plain' ? 0 : sizeBytes
        registry.finished.replace(identity.known, { ...identity.known, path, inode, changedMs, storedBytes })
        return this.#settle(stat)
      }
      case 'resumed': {
        const { isPassed: _, ...place } = identity.known
        const file = new Followed<T>(place)
        file.find(stat, identity.encoding, nowMs)
        return registry.resume(identity.known, file)
      }
      case 'copy':
        return
      case 'unclear':
        if (!stat.isLive && !this.#isBeingMade(stat)) this.#blocked.add(stat.name)
        return
      default:
        return this.#follow(stat, identity, nowMs)
    }
  }

  #follow(stat: FileStat, identity: FileIdentity<T> & { kind: 'new' }, nowMs: number): void {
    const { registry } = this.#options
    const file = Followed.fresh<T>(stat)
    file.find(stat, identity.encoding, nowMs)
    file.firstPrefixHash = identity.prefixHash
    file.brokenReason = identity.brokenReason
    file.passed = identity.passed
    if (stat.isLive && stat.path === stat.name) registry.append(file)
    else registry.insert(file, (other) => byAge(stat, { ...other.place, isLive: false }) < 0)
  }

  #giveUp(nowMs: number): void {
    const { registry, graceMs, onNote } = this.#options
    for (const file of registry.lost) {
      file.looks += 1
      const { path, offset } = file.place
      if (offset === 0) this.#dropUnread(file)
      if (offset === 0 || file.looks < MIN_LOOKS || nowMs - (file.lostSinceMs ?? nowMs) < graceMs) continue
      onNote(noteOn(path, `is gone: what it may have held after byte ${offset} is not read`))
      file.lostSinceMs = undefined
      file.isDue = false
      file.isGivenUp = true
    }
  }

  #settle(stat: FileStat): void {
    this.#settled.set(stat.inode, stat)
  }

  #isSettled(stat: FileStat): boolean {
    const known = this.#settled.get(stat.inode)
    return known !== undefined && isAsItWas(known, stat)
  }

  /** Whether the original of a compressed file still exists: then it is not urgent, however slowly it is written. */
  #isBeingMade({ path }: FileStat): boolean {
    const original = path.replace(/\.(?:gz|zst)$/, '')
    return original !== path && this.#paths.has(original)
  }

  #isOfFirst(stat: FileStat): boolean {
    return this.#isFirst || this.#leftOfFirst.has(stat.inode)
  }

  #isQuiet(stat: FileStat, nowMs: number): boolean {
    const known = this.#unclear.get(stat.inode)
    if (known !== undefined && isAsItWas(known.stat, stat)) return nowMs - known.sinceMs >= this.#options.graceMs
    this.#unclear.set(stat.inode, { stat, sinceMs: nowMs })
    return false
  }
}

function isAsItWas(known: FileStat, now: FileStat): boolean {
  return known.sizeBytes === now.sizeBytes && known.changedMs === now.changedMs && known.isLive === now.isLive
}

type Aged = Pick<FileStat, 'isLive' | 'changedMs' | 'path'>

/**
 * Up to which difference file times count as equal: clocks of file systems tick, and compressors round the time of a
 * file.
 */
const TICK_MS = 10

/** The older file first; of files with equal times, the one whose name says that it was rotated earlier. */
function byAge(a: Aged, b: Aged): number {
  if (a.isLive !== b.isLive) return a.isLive ? 1 : -1
  if (Math.abs(a.changedMs - b.changedMs) > TICK_MS) return a.changedMs - b.changedMs
  const [one, other] = [numberOf(a.path), numberOf(b.path)]
  // Numbers of rotation grow with age, dates do not.
  if (one !== undefined && other !== undefined && one !== other) return other - one
  return a.path < b.path ? -1 : 1
}

function numberOf(path: string): number | undefined {
  const found = /\.(\d{1,5})(?:\.(?:gz|zst))?$/.exec(path)
  return found === null ? undefined : Number(found[1])
}

function pathOf(thrown: unknown): string {
  return (thrown instanceof Error && (thrown as NodeJS.ErrnoException).path) || '.'
}

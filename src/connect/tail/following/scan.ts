// Looks what has become of the files: which were rotated, cut, replaced or have come, and what is to be read next.

import type { Charset } from '../../kits/files/characters/charset.ts'
import { Content } from './content.ts'
import { Followed } from './followed.ts'
import { judge, type Verdict } from './judge.ts'
import type { Lister, Sighting } from './lister.ts'
import type { OpenFilesOptions } from './open-files.ts'
import { noteOn } from './patience.ts'
import type { Roll } from './roll.ts'
import { placeAtEnd, placePassed } from './starts.ts'

export interface ScanOptions<T> extends Pick<OpenFilesOptions<T>, 'clock' | 'patience' | 'content' | 'maxLineBytes'> {
  readonly roll: Roll<T>
  readonly lister: Lister
  readonly graceMs: number
  /** Where files begin that are there at the first look of a first run; undefined in a later run. */
  readonly from: 'start' | 'end' | undefined
  /** The encoding that text is to be in; UTF-8 if undefined. */
  readonly charset: Charset | undefined
  readonly onNote: (note: string) => void
  /** Whether what was read of a file is still there; opens it if need be. */
  readonly isIntact: (file: Followed<T>) => Promise<boolean>
}

/** How many looks must have missed a file before it is given up: one may fall between two names of it. */
const MIN_LOOKS = 2

/** Keeps the roll of files true to what is there. */
export class Scan<T> {
  readonly #options: ScanOptions<T>
  /** Whether the next look is the first of a first run. */
  #isFirst: boolean
  /** Files of the first look that could not be opened then, by inode. */
  readonly #leftOfFirst = new Set<string>()
  /** By inode, files that nothing is to be done about as long as they are as they were. */
  #settled = new Map<string, Sighting>()
  /** By inode, files of which too little is there, and since when. */
  #unclear = new Map<string, { readonly sighting: Sighting; readonly sinceMs: number }>()
  /** What the last look saw. */
  #paths: ReadonlySet<string> = new Set()
  /** Names whose next file is not clear yet: what stands there now has to wait for it. */
  readonly #blocked = new Set<string>()

  constructor(options: ScanOptions<T>) {
    this.#options = options
    this.#isFirst = options.from !== undefined
  }

  isBlocked(name: string): boolean {
    return this.#blocked.has(name)
  }

  /**
   * Looks once.
   *
   * @throws {SluiceError} SOURCE_UNREADABLE for what does not pass by itself
   */
  async look(): Promise<void> {
    const { roll, lister, patience, clock } = this.#options
    let sightings: Sighting[]
    try {
      sightings = await lister.look(roll.names)
    } catch (thrown) {
      return patience.bear(pathOf(thrown), thrown, clock.nowMs())
    }
    const nowMs = clock.nowMs()
    const strangers = this.#seeFollowed(sightings, nowMs)
    this.#paths = new Set(sightings.map(({ path }) => path))
    await this.#seeStrangers(strangers, nowMs)
    this.#giveUp(nowMs)
    const live = new Set(sightings.filter(({ isLive }) => isLive).map(({ inode }) => inode))
    roll.trim(clock.wallMs(), ({ inode }) => live.has(inode))
    this.#isFirst = false
  }

  /** Takes up what was seen of files that are followed, and gives the others. */
  #seeFollowed(sightings: readonly Sighting[], nowMs: number): Sighting[] {
    const { roll } = this.#options
    const strangers: Sighting[] = []
    const seen = new Set<Followed<T>>()
    for (const sighting of sightings) {
      const file = roll.ofInode(sighting.inode)
      if (file === undefined || file.isAnother(sighting)) {
        strangers.push(sighting)
        continue
      }
      seen.add(file)
      file.see(sighting, nowMs)
      if (file.isCut) seen.add(this.replaced(file, nowMs))
    }
    for (const file of roll.files) {
      if (!seen.has(file) && !file.isLost && !file.isGivenUp) this.#miss(file, nowMs)
    }
    return strangers
  }

  /** A file that is open is read to its end, wherever it is; another has to be found again. */
  #miss(file: Followed<T>, nowMs: number): void {
    file.isSighted = false
    if (file.opened !== undefined) file.isDue = true
    else if (file.place.offset > 0) this.#options.roll.lose(file, nowMs)
    else this.#dropUnread(file)
  }

  /** Follows a file no more of which nothing was read; what it held is lost. */
  #dropUnread(file: Followed<T>): void {
    const { roll, onNote } = this.#options
    if (file.sizeBytes > 0) onNote(noteOn(file.path, `is gone: none of its ${file.sizeBytes} bytes was read`))
    roll.drop(file)
  }

  /** Takes up that a file does not hold any more what was read of it. */
  replaced(file: Followed<T>, nowMs: number): Followed<T> {
    const { roll, onNote } = this.#options
    const { path, name, inode, changedMs } = file.place
    onNote(noteOn(path, `was cut or replaced at byte ${file.readBytes}, is now ${file.sizeBytes} bytes: read as new`))
    const { sizeBytes, isSighted } = file
    return roll.split(file, { path, name, inode, changedMs, sizeBytes, isLive: isSighted && path === name }, nowMs)
  }

  async #seeStrangers(strangers: readonly Sighting[], nowMs: number): Promise<void> {
    const { roll } = this.#options
    const unsettled = strangers.filter((sighting) => !this.#isSettled(sighting))
    this.#settled = new Map(strangers.filter((one) => this.#isSettled(one)).map((one) => [one.inode, one]))
    this.#unclear = new Map(
      unsettled.flatMap((one) => this.#unclear.get(one.inode) ?? []).map((one) => [one.sighting.inode, one]),
    )
    this.#blocked.clear()
    for (const name of new Set(unsettled.filter(({ isLive }) => !isLive).map(({ name }) => name))) {
      const file = roll.atHome(name)
      if (file !== undefined && !(await this.#options.isIntact(file))) this.replaced(file, nowMs)
    }
    const known = new Set([...roll.lost.map(({ inode }) => inode), ...roll.finished.files.map(({ inode }) => inode)])
    // Who is where it was is told first: what else looks like it is a copy then.
    const inOrder = [...unsettled].sort(
      (a, b) => Number(known.has(b.inode)) - Number(known.has(a.inode)) || byAge(a, b),
    )
    const coming = inOrder.filter(({ isLive, path, name }) => isLive && path === name)
    for (const sighting of inOrder) await this.#seeStranger(sighting, coming, nowMs)
  }

  async #seeStranger(sighting: Sighting, coming: readonly Sighting[], nowMs: number): Promise<void> {
    const { roll, content, patience } = this.#options
    const { name, isLive, path, sizeBytes } = sighting
    if (sizeBytes === 0 && !isLive) return
    if (sizeBytes === 0)
      return this.#follow(sighting, { kind: 'new', encoding: 'plain', sketch: '', brokenReason: undefined }, nowMs)
    const isOld = !isLive && roll.lost.length === 0 && roll.finished.ofInode(sighting.inode) === undefined
    if (isOld && roll.finished.isForgotten(name, sighting.changedMs)) return this.#settle(sighting)
    try {
      if (this.#isOfFirst(sighting) && (await this.#begin(sighting))) return this.#settle(sighting)
      this.#leftOfFirst.delete(sighting.inode)
      const isSettled = this.#isQuiet(sighting, nowMs) && !this.#isBeingMade(sighting)
      const verdict = await judge(sighting, { roll, coming, isSettled, charset: this.#options.charset }, content)
      patience.succeeded(path)
      await this.#apply(sighting, verdict, nowMs)
    } catch (thrown) {
      content.signal.throwIfAborted()
      if (this.#isFirst) this.#leftOfFirst.add(sighting.inode)
      patience.bear(path, thrown, nowMs)
      if (!isLive) this.#blocked.add(name)
    }
  }

  /** At the first look of a first run: true if the file is not to be read, or not from its start. */
  async #begin(sighting: Sighting): Promise<boolean> {
    const { roll, content, from, maxLineBytes, charset, clock } = this.#options
    if (sighting.isLive && from === 'start') return false
    const open = await Content.open(sighting.path, content)
    try {
      if (sighting.isLive && open.encoding === 'plain') {
        const file = new Followed<T>(await placeAtEnd(sighting, open, maxLineBytes, charset))
        file.find(sighting, 'plain', clock.nowMs())
        roll.append(file)
      } else {
        roll.finished.add(await placePassed(sighting, open))
      }
      return true
    } finally {
      await open.close()
    }
  }

  async #apply(sighting: Sighting, verdict: Verdict<T>, nowMs: number): Promise<void> {
    const { roll, onNote } = this.#options
    switch (verdict.kind) {
      case 'lost one': {
        const { file, encoding } = verdict
        const from = file.path
        await file.close()
        file.find(sighting, encoding, nowMs)
        roll.found(file)
        if (from !== sighting.path)
          onNote(
            noteOn(sighting.path, `holds what was ${JSON.stringify(from)}: read on from byte ${file.place.offset}`),
          )
        return
      }
      case 'finished': {
        const { path, inode, changedMs, sizeBytes } = sighting
        const storedBytes = verdict.encoding === 'plain' ? 0 : sizeBytes
        roll.finished.replace(verdict.known, { ...verdict.known, path, inode, changedMs, storedBytes })
        return this.#settle(sighting)
      }
      case 'resumed': {
        const { isPassed: _, ...place } = verdict.known
        const file = new Followed<T>(place)
        file.find(sighting, verdict.encoding, nowMs)
        return roll.resume(verdict.known, file)
      }
      case 'copy':
        return
      case 'unclear':
        if (!sighting.isLive && !this.#isBeingMade(sighting)) this.#blocked.add(sighting.name)
        return
      default:
        return this.#follow(sighting, verdict, nowMs)
    }
  }

  #follow(sighting: Sighting, verdict: Verdict<T> & { kind: 'new' }, nowMs: number): void {
    const { roll } = this.#options
    const file = Followed.fresh<T>(sighting)
    file.find(sighting, verdict.encoding, nowMs)
    file.firstSketch = verdict.sketch
    file.brokenReason = verdict.brokenReason
    file.passed = verdict.passed
    if (sighting.isLive && sighting.path === sighting.name) roll.append(file)
    else roll.insert(file, (other) => byAge(sighting, { ...other.place, isLive: false }) < 0)
  }

  #giveUp(nowMs: number): void {
    const { roll, graceMs, onNote } = this.#options
    for (const file of roll.lost) {
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

  #settle(sighting: Sighting): void {
    this.#settled.set(sighting.inode, sighting)
  }

  #isSettled(sighting: Sighting): boolean {
    const known = this.#settled.get(sighting.inode)
    return known !== undefined && isAsItWas(known, sighting)
  }

  /** Whether what a compressed file is made of is still there: there is no hurry with it, however slowly it comes. */
  #isBeingMade({ path }: Sighting): boolean {
    const original = path.replace(/\.(?:gz|zst)$/, '')
    return original !== path && this.#paths.has(original)
  }

  #isOfFirst(sighting: Sighting): boolean {
    return this.#isFirst || this.#leftOfFirst.has(sighting.inode)
  }

  #isQuiet(sighting: Sighting, nowMs: number): boolean {
    const known = this.#unclear.get(sighting.inode)
    if (known !== undefined && isAsItWas(known.sighting, sighting))
      return nowMs - known.sinceMs >= this.#options.graceMs
    this.#unclear.set(sighting.inode, { sighting, sinceMs: nowMs })
    return false
  }
}

function isAsItWas(known: Sighting, now: Sighting): boolean {
  return known.sizeBytes === now.sizeBytes && known.changedMs === now.changedMs && known.isLive === now.isLive
}

type Aged = Pick<Sighting, 'isLive' | 'changedMs' | 'path'>

/** Up to how far times of files are one: clocks of file systems tick, and what compresses a file rounds its time. */
const TICK_MS = 10

/** The older file first; of files with one time, the one whose name says that it was rotated earlier. */
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

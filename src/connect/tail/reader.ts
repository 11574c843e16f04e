// Reads the files of a tail as one split, for as long as it is asked.

import { checkInteger } from '../../base/check.ts'
import { invariant } from '../../base/invariant.ts'
import { untilAborted } from '../../base/promise.ts'
import { batchOf, type ReadBatch } from '../batch.ts'
import { type DeadLetter, deadLetter } from '../origin.ts'
import type { Position, SourceCounts, SplitReader } from '../source.ts'
import type { ContentOptions } from './following/content.ts'
import { FileRegistry } from './following/file-registry.ts'
import type { Followed } from './following/followed.ts'
import { GrowingFile } from './following/growing.ts'
import { OpenFiles, type OpenFilesOptions } from './following/open-files.ts'
import { OpenRetry } from './following/open-retry.ts'
import type { TailPosition } from './following/place.ts'
import { Scan, type ScanOptions } from './following/scan.ts'

type OfOpening = 'format' | 'maxLineBytes' | 'text' | 'maxOpenFiles' | 'clock'

export interface TailReaderOptions<T>
  extends Pick<OpenFilesOptions<T>, OfOpening>,
    Pick<ScanOptions<T>, 'lister' | 'graceMs' | 'onNote'> {
  readonly limits: ContentOptions['limits']
  readonly pollMs: number
  readonly from: 'start' | 'end'
  readonly position: TailPosition | undefined
  readonly signal: AbortSignal | undefined
}

/** Why a waiting read ends when its reader is closed. */
const CLOSED = Symbol('closed')

/**
 * Reads files as they grow and rotate.
 *
 * Files take turns, a block each; for one name only the oldest unfinished one, while younger ones are held open. Only
 * the file whose turn it is has lines that were not taken, and the file registry changes only while no file has any.
 */
export class TailReader<T> implements SplitReader<T> {
  readonly #options: TailReaderOptions<T>
  readonly #stop = new AbortController()
  readonly #registry: FileRegistry<T>
  readonly #open: OpenFiles<T>
  readonly #scan: Scan<T>
  /** The file whose lines are being taken. */
  #current: Followed<T> | undefined
  /** The name whose turn it was last. */
  #turn: string | undefined
  /** When files were last scanned for. */
  #lookedMs = Number.NEGATIVE_INFINITY
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  #doneBytes = 0
  /** The read under way: `close` waits until it has released the files. */
  #reading: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** The error of a read: the next one fails the same way. */
  #failure: { readonly thrown: unknown } | undefined

  constructor(options: TailReaderOptions<T>) {
    const { clock, text, graceMs, signal, limits, position, onNote } = options
    this.#options = options
    const retry = new OpenRetry(graceMs, onNote)
    const content: ContentOptions = { limits, signal: this.#stop.signal }
    const registry = new FileRegistry<T>(position, clock.nowMs())
    this.#registry = registry
    this.#open = new OpenFiles({ ...options, content, retry })
    const from = position === undefined ? options.from : undefined
    const isIntact = (file: Followed<T>): Promise<boolean> => this.#isIntact(file)
    this.#scan = new Scan({ ...options, registry, retry, content, from, charset: text.charset, isIntact })
    if (signal?.aborted === true) this.#abort()
    else signal?.addEventListener('abort', this.#abort, { once: true })
  }

  get doneBytes(): number {
    return this.#doneBytes
  }

  position(): Position {
    return this.#registry.position()
  }

  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined> {
    checkInteger('max', max, 1)
    invariant(!this.#isClosed, 'a reader was read after it was closed')
    if (this.#failure !== undefined) throw this.#failure.thrown
    const read = this.#stop.signal.aborted ? undefined : this.#take(max)
    return read ?? this.#readOn(max)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#stop.abort(CLOSED)
    // Its error was reported to the reader.
    await this.#reading.catch(() => {})
    await this.#open.close()
    for (const file of this.#registry.files) await file.close()
  }

  readonly #abort = (): void => this.#stop.abort(this.#options.signal?.reason)

  async #readOn(max: number): Promise<ReadBatch<T> | undefined> {
    const reading = this.#work(max)
    this.#reading = reading
    try {
      return await untilAborted(reading, this.#stop.signal)
    } catch (thrown) {
      reading.catch(() => {})
      if (this.#stop.signal.reason === CLOSED) return undefined
      this.#failure = { thrown }
      throw thrown
    }
  }

  async #work(max: number): Promise<ReadBatch<T>> {
    const { clock, pollMs } = this.#options
    const { signal } = this.#stop
    for (;;) {
      signal.throwIfAborted()
      if (clock.nowMs() - this.#lookedMs >= pollMs) await this.#look()
      const file = this.#next()
      if (file === undefined) {
        await clock.sleep(Math.max(1, pollMs - (clock.nowMs() - this.#lookedMs)), signal)
        continue
      }
      const letter = await this.#advance(file)
      signal.throwIfAborted()
      if (letter !== undefined) return { events: batchOf<T>([]), rejected: [{ at: 0, letter }] }
      const read = this.#take(max)
      if (read !== undefined) return read
    }
  }

  async #look(): Promise<void> {
    await this.#scan.look()
    await this.#hold()
    this.#lookedMs = this.#options.clock.nowMs()
  }

  /** Opens files that wait for others of their name: an open one is not lost by being renamed or removed meanwhile. */
  async #hold(): Promise<void> {
    for (const file of this.#registry.files) {
      const isWaiting = file.opened === undefined && !file.isLost && file.isSighted && file.place.offset === 0
      if (!isWaiting || file.isEnded || file.isGivenUp || file.brokenReason !== undefined) continue
      if (this.#open.count >= this.#options.maxOpenFiles) return
      this.#registry.begin(file)
      await this.#opened(file)
    }
  }

  /** Opens a file, and handles the result; returns whether it is open. */
  async #opened(file: Followed<T>): Promise<boolean> {
    switch (await this.#open.open(file)) {
      case 'busy':
        file.isWaiting = true
        return false
      case 'unknown':
        this.#registry.drop(file)
        return false
      case 'replaced':
        this.#scan.replaced(file, this.#options.clock.nowMs())
        return false
      default:
        return true
    }
  }

  /** The next file, in turn, that has something to read or is to be finished. */
  #next(): Followed<T> | undefined {
    const { names } = this.#registry
    const after = this.#turn === undefined ? 0 : names.indexOf(this.#turn) + 1
    for (let i = 0; i < names.length; i += 1) {
      const name = names[(after + i) % names.length] ?? ''
      const file = this.#registry.first(name)
      if (file === undefined || file.isLost || !this.#hasTurn(file)) continue
      this.#turn = name
      return file
    }
    return undefined
  }

  #hasTurn(file: Followed<T>): boolean {
    if (file.isWaiting) return false
    if (file.isGivenUp || file.isEnded || file.brokenReason !== undefined) return true
    if (file.isAtHome && this.#scan.isBlocked(file.name)) return false
    return file.isDue || this.#isQuiet(file)
  }

  /** Whether a file that was read to its end is to be finished: something has replaced it, and it is unchanged. */
  #isQuiet(file: Followed<T>): boolean {
    const { clock, graceMs } = this.#options
    if (file.encoding !== 'plain' || clock.nowMs() - file.quietSinceMs < graceMs) return false
    return this.#registry.hasSuccessor(file) || (!file.isSighted && file.isUnlinked)
  }

  /** Continues with a file: by a block, or to its end. */
  async #advance(file: Followed<T>): Promise<DeadLetter | undefined> {
    if (file.isEnded) return void (await this.#finish(file))
    if (file.brokenReason !== undefined) return await this.#refuse(file, file.brokenReason)
    if (file.isGivenUp) return void this.#end(file)
    const isLast = !file.isDue
    this.#registry.begin(file)
    if (await this.#opened(file)) await this.#fill(file, isLast)
    return undefined
  }

  async #fill(file: Followed<T>, isLast: boolean): Promise<void> {
    const { opened } = file
    invariant(opened !== undefined, 'a file was read that is not open')
    const { clock } = this.#options
    const from = file.readBytes
    const came = await opened.fill()
    file.moved()
    this.#current = file
    if (opened instanceof GrowingFile) file.readBytes = opened.at
    if (came === 'replaced') return void this.#scan.replaced(file, clock.nowMs())
    if (came === 'more') return
    file.isDue = false
    if (!(opened instanceof GrowingFile)) return this.#end(file)
    // What was already there when it was seen is not a change.
    const hasGrown = file.readBytes > (file.isSighted ? Math.max(from, file.sizeBytes) : from)
    if (hasGrown) file.quietSinceMs = clock.nowMs()
    else if (isLast && file.readBytes === from) await this.#endPlain(file, opened)
    else if (!file.isSighted) file.isUnlinked = !(await opened.isLinked())
  }

  async #endPlain(file: Followed<T>, opened: GrowingFile<T>): Promise<void> {
    await opened.complete()
    file.readBytes = opened.at
    this.#end(file)
  }

  /** The rest of a file is its last line. */
  #end(file: Followed<T>): void {
    const lines = file.opened?.lines
    if (lines?.needsFormat === true) {
      lines.prepare(
        () => Buffer.alloc(0),
        () => false,
      )
    }
    lines?.end()
    file.moved()
    file.isEnded = true
    this.#current = file
  }

  async #finish(file: Followed<T>): Promise<void> {
    await file.close()
    this.#registry.finish(file)
  }

  /**
   * A file that cannot be read, such as a corrupt compressed one, makes one dead letter, and none of its lines is read.
   */
  async #refuse(file: Followed<T>, reason: string): Promise<DeadLetter> {
    const { name, offset, number } = file.place
    await this.#finish(file)
    this.counts.read += 1
    const source = number > 1 ? `${name}#${number}` : name
    return deadLetter({ source, line: 0, offset, raw: '' }, this.#options.format.name, reason)
  }

  #take(max: number): ReadBatch<T> | undefined {
    const file = this.#current
    const lines = file?.opened?.lines
    if (file === undefined || lines === undefined) return undefined
    const before = file.place.offset
    const read = lines.take(max)
    file.moved()
    const counted = lines.tellCounts()
    this.counts.read += counted.read
    this.counts.blank += counted.blank
    this.counts.invalidUtf8 += counted.invalidUtf8
    this.#doneBytes += file.place.offset - before
    if (read === undefined) this.#current = undefined
    return read
  }

  async #isIntact(file: Followed<T>): Promise<boolean> {
    if (file.place.offset === 0 && file.opened === undefined) return true
    const opening = await this.#open.open(file)
    if (opening !== 'open') return opening !== 'replaced'
    return !(file.opened instanceof GrowingFile) || (await file.opened.isIntact())
  }
}

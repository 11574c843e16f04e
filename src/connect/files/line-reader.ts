// Reads one split: blocks to records to entries.

import { checkInteger } from '../../base/check.ts'
import { invariant } from '../../base/invariant.ts'
import { Rejection } from '../format.ts'
import { deadLetter, type Entry, type Origin } from '../origin.ts'
import type { OnDeadLetter, Position, SourceCounts, SplitReader } from '../source.ts'
import type { Blocks } from './blocks.ts'
import type { Cutter } from './cutter.ts'
import { type EntryMaker, entryOf, parsed } from './entry.ts'
import { quotePath } from './trouble.ts'

/** What a reader is made of. */
export interface LineReaderParts<T> extends EntryMaker<T> {
  readonly blocks: Blocks
  readonly cutter: Cutter
  /** Whether `parse` looks at the origin. */
  readonly usesOrigin: boolean
  /** The position at the cutter's next record. */
  readonly positionAt: (isDone: boolean) => Position
  /** How far it is, in the unit of the split's size. */
  readonly doneBytesAt: (isDone: boolean) => number
  /** Told once if nearly all of the first records are refused. */
  readonly onRefused?: ((note: string) => void) | undefined
  /** Lets go of the file. */
  readonly release: () => Promise<void>
}

/** How many records tell whether a file is what it is read as, and how few do. */
const JUDGED = 100
const LEAST = 3
const NEARLY_ALL = 0.9

function isDead(entry: Entry<unknown>): boolean {
  return entry.kind === 'dead'
}

/** What a parser is given that does not look at it. */
const NO_ORIGIN: Origin = { source: '', line: 0, offset: 0, raw: '' }

/** Reads the records of one split as entries, or as values only. Memory: a block or two, and one record that is not complete. */
export class LineReader<T> implements SplitReader<T> {
  readonly #parts: LineReaderParts<T>
  /** Whether all blocks are read: what is left is in the cutter. */
  #hasAllBlocks = false
  /** Whether the last entry has been given and the end been told. */
  #isDone = false
  /** What a read failed with: the next one fails the same way, and does not take it for the end. */
  #failure: { readonly thrown: unknown } | undefined
  /** Whether it is known if the first records are refused. */
  #isJudged = false
  #seen = 0
  #refused = 0
  /** Whether `close` was called. */
  #isClosed = false

  constructor(parts: LineReaderParts<T>) {
    this.#parts = parts
  }

  get counts(): Readonly<SourceCounts> {
    return this.#parts.cutter.counts
  }

  get doneBytes(): number {
    return this.#parts.doneBytesAt(this.#isDone)
  }

  position(): Position {
    return this.#parts.positionAt(this.#isDone)
  }

  read(max: number): readonly Entry<T>[] | undefined | Promise<readonly Entry<T>[] | undefined> {
    this.#check(max)
    const entries = this.#take(max)
    return entries.length > 0 ? entries : this.#readOn(max)
  }

  values(max: number, dead: OnDeadLetter): readonly T[] | undefined | Promise<readonly T[] | undefined> {
    this.#check(max)
    const values = this.#takeValues(max, dead)
    return values.length > 0 ? values : this.#readValuesOn(max, dead)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.blocks.close()
    await this.#parts.release()
  }

  async #readOn(max: number): Promise<readonly Entry<T>[] | undefined> {
    const { cutter } = this.#parts
    while (!this.#hasAllBlocks && !cutter.isOver) {
      await this.#push()
      const entries = this.#take(max)
      if (entries.length > 0) return entries
    }
    this.#isDone = true
    this.#judge(true)
    return undefined
  }

  /** One block at a time, so that whoever waits sees that dead letters came, even if nothing else does. */
  async #readValuesOn(max: number, dead: OnDeadLetter): Promise<readonly T[] | undefined> {
    if (this.#hasAllBlocks || this.#parts.cutter.isOver) {
      this.#isDone = true
      this.#judge(true)
      return undefined
    }
    await this.#push()
    return this.#takeValues(max, dead)
  }

  #check(max: number): void {
    checkInteger('max', max, 1)
    invariant(!this.#isClosed, 'a reader was read after it was closed')
    if (this.#failure !== undefined) throw this.#failure.thrown
  }

  async #push(): Promise<void> {
    const { blocks, cutter } = this.#parts
    try {
      const block = await blocks.read()
      if (block !== undefined) return cutter.push(block)
      this.#hasAllBlocks = true
      cutter.end()
    } catch (thrown) {
      this.#failure = { thrown }
      throw thrown
    }
  }

  #take(max: number): Entry<T>[] {
    const { cutter } = this.#parts
    const entries: Entry<T>[] = []
    while (entries.length < max) {
      const line = cutter.next()
      if (line === undefined) break
      entries.push(entryOf(line, this.#parts))
    }
    if (!this.#isJudged && entries.length > 0) this.#count(entries.length, entries.filter(isDead).length)
    return entries
  }

  #takeValues(max: number, dead: OnDeadLetter): T[] {
    const { cutter, parse, step, usesOrigin } = this.#parts
    const values: T[] = []
    let refused = 0
    while (values.length < max) {
      const text = cutter.nextText()
      if (text !== undefined) {
        const value = parsed(parse, text, usesOrigin ? this.#originOf(text) : NO_ORIGIN)
        if (value instanceof Rejection) {
          refused += 1
          dead(deadLetter(this.#originOf(text), step, value.reason))
        } else values.push(value)
      } else {
        const line = cutter.next()
        if (line === undefined) break
        const entry = entryOf(line, this.#parts)
        if (entry.kind === 'dead') {
          refused += 1
          dead(entry)
        } else values.push(entry.value)
      }
    }
    if (!this.#isJudged) this.#count(values.length + refused, refused)
    return values
  }

  #count(seen: number, refused: number): void {
    this.#seen += seen
    this.#refused += refused
    this.#judge(false)
  }

  /** A file of another format, or in another encoding, is reported once, and not only by its dead letters. */
  #judge(isAtEnd: boolean): void {
    if (this.#isJudged || (this.#seen < JUDGED && !isAtEnd)) return
    this.#isJudged = true
    if (this.#seen < LEAST || this.#refused < this.#seen * NEARLY_ALL) return
    const { source, onRefused } = this.#parts
    onRefused?.(`${quotePath(source)}: ${this.#refused} of the first ${this.#seen} records were rejected`)
  }

  /** The origin of the text that the cutter gave last. */
  #originOf(text: string): Origin {
    const { source, cutter, hasLines } = this.#parts
    const offset = cutter.textOffset()
    return { source, offset, line: hasLines ? cutter.textLine() : 0, raw: text }
  }
}

/** A reader of a split that was read to its end before and has nothing new. */
export function nothingNew<T>(note: string, position: Position, doneBytes: number): SplitReader<T> {
  return {
    note,
    counts: { read: 0, blank: 0, invalidUtf8: 0 },
    doneBytes,
    read: () => undefined,
    position: () => position,
    close: async () => {},
  }
}

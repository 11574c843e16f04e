// Reads one split: blocks to records to events.

import { checkInteger } from '../../../../base/check.ts'
import { invariant } from '../../../../base/invariant.ts'
import type { ReadBatch } from '../../../batch.ts'
import type { Position, SourceCounts, SplitReader } from '../../../source.ts'
import type { Blocks } from '../bytes/blocks.ts'
import { quotePath } from '../errors.ts'
import { RecordParser, type RecordParserOptions } from './record-parser.ts'

/** The parts of a reader. */
export interface LineReaderParts<T> extends RecordParserOptions<T> {
  readonly blocks: Blocks
  /** The position at the cutter's next record. */
  readonly positionAt: (isDone: boolean) => Position
  /** How far it is, in the unit of the split's size. */
  readonly doneBytesAt: (isDone: boolean) => number
  /** Called once if nearly all of the first records are rejected. */
  readonly onRefused?: ((note: string) => void) | undefined
  /** Releases the file. */
  readonly release: () => Promise<void>
}

/** How many records show whether a file has the expected format, and how few are enough. */
const JUDGED = 100
const LEAST = 3
const NEARLY_ALL = 0.9

/** Reads the records of one split. Memory: a block or two, and one incomplete record. */
export class LineReader<T> implements SplitReader<T> {
  readonly #parts: LineReaderParts<T>
  readonly #records: RecordParser<T>
  /** Whether all blocks are read: the rest is in the cutter. */
  #hasAllBlocks = false
  /** Whether the last record was returned and the end reported. */
  #isDone = false
  /** The error of a read: the next one fails the same way, and does not report the end. */
  #failure: { readonly thrown: unknown } | undefined
  /** Whether it is known if the first records are rejected. */
  #isJudged = false
  #seen = 0
  #refused = 0
  /** Whether `close` was called. */
  #isClosed = false

  constructor(parts: LineReaderParts<T>) {
    this.#parts = parts
    this.#records = new RecordParser(parts)
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

  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined> {
    checkInteger('max', max, 1)
    invariant(!this.#isClosed, 'a reader was read after it was closed')
    if (this.#failure !== undefined) throw this.#failure.thrown
    return this.#take(max) ?? this.#readOn(max)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.blocks.close()
    await this.#parts.release()
  }

  async #readOn(max: number): Promise<ReadBatch<T> | undefined> {
    const { cutter } = this.#parts
    while (!this.#hasAllBlocks && !cutter.isOver) {
      await this.#push()
      const read = this.#take(max)
      if (read !== undefined) return read
    }
    this.#isDone = true
    this.#judge(true)
    return undefined
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

  #take(max: number): ReadBatch<T> | undefined {
    const read = this.#records.take(max)
    if (read !== undefined && !this.#isJudged) {
      this.#seen += read.events.length + read.rejected.length
      this.#refused += read.rejected.length
      this.#judge(false)
    }
    return read
  }

  /** A file of another format, or in another encoding, is reported once, and not only by its dead letters. */
  #judge(isAtEnd: boolean): void {
    if (this.#isJudged || (this.#seen < JUDGED && !isAtEnd)) return
    this.#isJudged = true
    if (this.#seen < LEAST || this.#refused < this.#seen * NEARLY_ALL) return
    const { source, onRefused } = this.#parts
    onRefused?.(`${quotePath(source)}: ${this.#refused} of the first ${this.#seen} records were rejected`)
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

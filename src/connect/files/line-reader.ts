// Reads one split: blocks to lines to entries.

import { checkInteger } from '../../base/check.ts'
import { messageOf } from '../../base/errors.ts'
import { invariant } from '../../base/invariant.ts'
import { type ParseLine, Rejection } from '../format.ts'
import { deadLetter, type Entry, type Origin, traced } from '../origin.ts'
import type { Position, SourceCounts, SplitReader } from '../source.ts'
import type { Blocks } from './blocks.ts'
import type { Line, LineCutter } from './line-cutter.ts'

/** What a reader is made of. */
export interface LineReaderParts<T> {
  /** The source of its origins. */
  readonly source: string
  /** The step of its dead letters: the format's name. */
  readonly step: string
  readonly blocks: Blocks
  readonly cutter: LineCutter
  readonly parse: ParseLine<T>
  /** The position at the cutter's next line. */
  readonly positionAt: (isDone: boolean) => Position
  /** How far it is, in the unit of the split's size. */
  readonly doneBytesAt: (isDone: boolean) => number
  /** Lets go of the file. */
  readonly release: () => Promise<void>
}

/** Reads the lines of one split as entries. Memory: a block or two, and one line that is not complete. */
export class LineReader<T> implements SplitReader<T> {
  readonly #parts: LineReaderParts<T>
  /** Whether all blocks are read: what is left is in the cutter. */
  #hasAllBlocks = false
  /** Whether the last entry has been given and the end been told. */
  #isDone = false
  /** What a read failed with: the next one fails the same way, and does not take it for the end. */
  #failure: { readonly thrown: unknown } | undefined
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
    checkInteger('max', max, 1)
    invariant(!this.#isClosed, 'a reader was read after it was closed')
    if (this.#failure !== undefined) throw this.#failure.thrown
    const entries = this.#take(max)
    return entries.length > 0 ? entries : this.#readOn(max)
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

  #take(max: number): Entry<T>[] {
    const { cutter } = this.#parts
    const entries: Entry<T>[] = []
    while (entries.length < max) {
      const line = cutter.next()
      if (line === undefined) break
      entries.push(this.#entryOf(line))
    }
    return entries
  }

  #entryOf(line: Line): Entry<T> {
    const { source, step, parse } = this.#parts
    const origin: Origin = { source, line: line.line, offset: line.offset, raw: line.raw ?? line.text }
    if (line.fault !== undefined) return deadLetter(origin, step, line.fault)
    try {
      const value = parse(line.text, origin)
      return value instanceof Rejection ? deadLetter(origin, step, value.reason) : traced(value, origin)
    } catch (thrown) {
      // A parser promises not to throw; one that does costs the record, not the run.
      return deadLetter(origin, step, messageOf(thrown))
    }
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

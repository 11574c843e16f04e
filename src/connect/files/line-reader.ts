// Reads one split: blocks to records to entries.

import { checkInteger } from '../../base/check.ts'
import { messageOf } from '../../base/errors.ts'
import { invariant } from '../../base/invariant.ts'
import { type ParseLine, Rejection } from '../format.ts'
import { deadLetter, type Entry, type Origin, traced } from '../origin.ts'
import type { OnDeadLetter, Position, SourceCounts, SplitReader } from '../source.ts'
import type { Blocks } from './blocks.ts'
import type { Cutter, Line } from './cutter.ts'

/** What a reader is made of. */
export interface LineReaderParts<T> {
  /** The source of its origins. */
  readonly source: string
  /** The step of its dead letters: the format's name. */
  readonly step: string
  readonly blocks: Blocks
  readonly cutter: Cutter
  readonly parse: ParseLine<T>
  /** Whether `parse` looks at the origin. */
  readonly usesOrigin: boolean
  /** Whether the cutter's numbers of lines are those of the file. */
  readonly hasLines: boolean
  /** The position at the cutter's next record. */
  readonly positionAt: (isDone: boolean) => Position
  /** How far it is, in the unit of the split's size. */
  readonly doneBytesAt: (isDone: boolean) => number
  /** Lets go of the file. */
  readonly release: () => Promise<void>
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
    return undefined
  }

  /** One block at a time, so that whoever waits sees that dead letters came, even if nothing else does. */
  async #readValuesOn(max: number, dead: OnDeadLetter): Promise<readonly T[] | undefined> {
    if (this.#hasAllBlocks || this.#parts.cutter.isOver) {
      this.#isDone = true
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
      entries.push(this.#entryOf(line))
    }
    return entries
  }

  #takeValues(max: number, dead: OnDeadLetter): T[] {
    const { cutter, parse, step, usesOrigin } = this.#parts
    const values: T[] = []
    while (values.length < max) {
      const text = cutter.nextText()
      if (text !== undefined) {
        const value = parsed(parse, text, usesOrigin ? this.#originOf(text) : NO_ORIGIN)
        if (value instanceof Rejection) dead(deadLetter(this.#originOf(text), step, value.reason))
        else values.push(value)
      } else {
        const line = cutter.next()
        if (line === undefined) break
        const entry = this.#entryOf(line)
        if (entry.kind === 'dead') dead(entry)
        else values.push(entry.value)
      }
    }
    return values
  }

  /** The origin of the text that the cutter gave last. */
  #originOf(text: string): Origin {
    const { source, cutter, hasLines } = this.#parts
    const offset = cutter.textOffset()
    return { source, offset, line: hasLines ? cutter.textLine() : 0, raw: text }
  }

  #entryOf(line: Line): Entry<T> {
    const { source, step, parse, hasLines } = this.#parts
    const origin: Origin = { source, line: hasLines ? line.line : 0, offset: line.offset, raw: line.raw ?? line.text }
    if (line.fault !== undefined) return deadLetter(origin, step, line.fault)
    const value = parsed(parse, line.text, origin)
    return value instanceof Rejection ? deadLetter(origin, step, value.reason) : traced(value, origin)
  }
}

/** What a parser makes of a line. One promises not to throw; one that does costs the record, not the run. */
function parsed<T>(parse: ParseLine<T>, text: string, origin: Origin): T | Rejection {
  try {
    return parse(text, origin)
  } catch (thrown) {
    return new Rejection(messageOf(thrown))
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

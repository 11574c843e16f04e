// From records to what a read returns: values whose positions are computed on demand, and dead letters.

import { isUtf8 } from 'node:buffer'
import { messageOf } from '../../../../base/errors.ts'
import { batchOf, lastAtMost, type Origins, type ReadBatch, type RejectedRecord } from '../../../batch.ts'
import { BlockOrigins } from '../../../block-origins.ts'
import { ColumnBatch } from '../../../column-batch.ts'
import { type ParseLine, Rejection } from '../../../format.ts'
import { deadLetter, type Origin } from '../../../origin.ts'
import type { Scan } from '../../../scan.ts'
import { type Cutter, type LineBlock, type RecordPlace, type Run, SingleRun } from './cutter.ts'

export interface RecordParserOptions<T> {
  /** The source of origins. */
  readonly source: string
  /** The step of dead letters: the format's name. */
  readonly step: string
  readonly parse: ParseLine<T>
  readonly cutter: Cutter
  /** Reads many plain records at once; absent if the format reads each by itself. */
  readonly scan?: Scan<T> | undefined
  /** Maps the cutter's line number to that of the file; absent if they are the same. */
  readonly numberOf?: ((line: number) => number) | undefined
}

/** Where fewer plain records than this follow each other, so many are read one by one. */
const FEW = 32
const EACH = 512

/** Parses the records that a cutter has. */
export class RecordParser<T> {
  readonly #options: RecordParserOptions<T>
  /** The position of the record being parsed. */
  readonly #origin: Origin
  /** The available records. */
  #run: Run | undefined
  /** How many records are read one by one before many at once are tried again, and how many were since then. */
  #eachLeft = 0
  #inARow = 0
  /** The bytes that were looked at, up to where, and whether they are plain. */
  #looked: Buffer | undefined
  #lookedTo = 0
  #isLookedPlain = false

  constructor(options: RecordParserOptions<T>) {
    this.#options = options
    this.#origin = this.#openOrigin()
  }

  /** Up to `max` of the available records; undefined if there are no more. */
  take(max: number): ReadBatch<T> | undefined {
    const { scan, cutter } = this.#options
    const block = scan && cutter.block?.()
    if (scan === undefined || cutter.pass === undefined) return this.#takeEach(max)
    // What is not a line of a block is the next record, and perhaps no more than that.
    if (block === undefined) return this.#takeEach(1)
    if (!this.#isPlain(block, scan)) return this.#takeEach(max)
    if (this.#eachLeft > 0) {
      const most = Math.min(max, this.#eachLeft)
      this.#eachLeft -= most
      return this.#takeEach(most)
    }
    const { source, numberOf } = this.#options
    const { line: first, offset } = cutter
    const line = numberOf === undefined ? first : (): number => numberOf(first)
    const scanned = scan.read(block.bytes, block.from, block.to, max, { source, line, offset })
    const { count: length, startOf, lineGap, bytes, whole, fields, make } = scanned
    this.#inARow += length
    if (scanned.isAtOdd) {
      this.#eachLeft = this.#inARow < FEW ? EACH : 1
      this.#inARow = 0
    }
    if (length === 0) return this.take(max)
    cutter.pass(block.from + startOf(length), length)
    const origins = new BlockOrigins({ source, line, offset, bytes, startOf, lineGap, whole })
    return { events: new ColumnBatch({ length, fields, make, origins, bytes: 2 * bytes.length }), rejected: [] }
  }

  /** Whether all lines of a block are text, without bytes that need a closer look. */
  #isPlain({ bytes, from, to }: LineBlock, { odd }: Scan<T>): boolean {
    if (bytes !== this.#looked || to > this.#lookedTo) {
      const block = bytes.subarray(from, to)
      this.#isLookedPlain = !odd.some((byte) => block.includes(byte)) && !block.includes(0) && isUtf8(block)
      this.#looked = bytes
      this.#lookedTo = to
    }
    return this.#isLookedPlain
  }

  /** Up to `max` of the available records, one by one. */
  #takeEach(max: number): ReadBatch<T> | undefined {
    const { cutter, parse, step } = this.#options
    const values: T[] = []
    const rejected: RejectedRecord[] = []
    const origins = new RecordOrigins((place) => this.#originAt(place))
    let left = max
    while (left > 0) {
      const run = (left === 1 ? undefined : cutter.run()) ?? singleOf(cutter)
      if (run === undefined) break
      this.#run = run
      origins.begin(values.length, run)
      for (let text = run.next(); text !== undefined; text = run.next()) {
        const value = run.fault === undefined ? parsed(parse, text, this.#origin) : new Rejection(run.fault)
        if (value instanceof Rejection) {
          const origin = this.#originAt(run.placeOf(run.given - 1))
          rejected.push({ at: values.length, letter: deadLetter(origin, step, value.reason) })
          origins.begin(values.length, run)
        } else values.push(value)
        left -= 1
        if (left === 0) break
      }
    }
    return left === max ? undefined : { events: batchOf(values, origins), rejected }
  }

  #originAt({ line, offset, raw }: RecordPlace): Origin {
    const { source, numberOf } = this.#options
    if (numberOf === undefined) return { source, line, offset, raw }
    return {
      source,
      get line() {
        return numberOf(line)
      },
      offset,
      raw,
    }
  }

  /** One object for all records: a parser that asks for nothing costs nothing. */
  #openOrigin(): Origin {
    const { source, numberOf = (line: number) => line } = this.#options
    const run = () => this.#run as Run
    return {
      source,
      get line() {
        return numberOf(run().line)
      },
      get offset() {
        return run().offset
      },
      get raw() {
        return run().placeOf(run().given - 1).raw
      },
    }
  }
}

function singleOf(cutter: Cutter): Run | undefined {
  const record = cutter.next()
  return record === undefined ? undefined : new SingleRun(record)
}

/** The result of parsing a record. Parsers promise not to throw; if one does, only the record is lost, not the run. */
export function parsed<T>(parse: ParseLine<T>, text: string, origin: Origin): T | Rejection {
  try {
    return parse(text, origin)
  } catch (thrown) {
    return new Rejection(messageOf(thrown))
  }
}

/** Where events were read, by the runs of records that they were parsed from. */
class RecordOrigins implements Origins {
  readonly #originAt: (place: RecordPlace) => Origin
  /** The first event of each stretch, in which events are consecutive like the records of a run. */
  readonly #starts: number[] = []
  readonly #runs: Run[] = []
  /** Which record of its run that event is. */
  readonly #firsts: number[] = []

  constructor(originAt: (place: RecordPlace) => Origin) {
    this.#originAt = originAt
  }

  /** The next event is the next record of a run. */
  begin(event: number, run: Run): void {
    const isEmpty = this.#starts.at(-1) === event
    const at = isEmpty ? this.#starts.length - 1 : this.#starts.length
    this.#starts[at] = event
    this.#runs[at] = run
    this.#firsts[at] = run.given
  }

  at(index: number): Origin {
    const which = lastAtMost(this.#starts, index)
    const record = index - (this.#starts[which] as number) + (this.#firsts[which] as number)
    return this.#originAt((this.#runs[which] as Run).placeOf(record))
  }
}

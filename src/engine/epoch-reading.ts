// How a stage of a pipeline reads splits: what it emitted, and its positions, belong to an epoch.

import { type EpochReports, type ResumePoint, recordKey } from '../checkpoint/epoch-reports.ts'
import type { Batch, ReadBatch } from '../connect/batch.ts'
import { type DeadLetter, deadLetter, type Origin } from '../connect/origin.ts'
import type { Position, Split, SplitReader } from '../connect/source.ts'
import { addTotals, NO_TOTALS } from '../connect/totals.ts'
import type { StepCounts } from '../flow/step.ts'
import { type AcknowledgedReader, type Acknowledgements, needsAck } from './acknowledgements.ts'
import type { PipelineSource } from './pipeline-source.ts'
import type { Reading } from './reading.ts'
import type { SplitQueue } from './split-queue.ts'
import type { OwnCounts } from './stage-stats.ts'

export interface EpochReadingOptions {
  readonly source: PipelineSource
  readonly queue: SplitQueue
  /** The layer's number, and which of its stages it is. */
  readonly layer: number
  readonly partition: { readonly index: number }
  /** What the steps have counted since the last call, and what was read. */
  readonly takeCounts: () => Readonly<StepCounts>
  readonly ownCounts: OwnCounts
  readonly resumePoint: ResumePoint
  readonly reports: EpochReports
  readonly acknowledgements: Acknowledgements
}

/** Records between two progress reports. */
const PROGRESS_EVERY = 4096
/** The step of dead letters for records that crashed a worker. */
const WORKER = 'worker'

interface OpenSplit {
  readonly split: Split
  readonly reader: SplitReader<unknown>
  /** What earlier runs had read of it. */
  readonly skippedBytes: number
  /** The counts of the reader at the last look. */
  seen: { readonly read: number; readonly blank: number; readonly invalidUtf8: number }
}

/**
 * Positions and counts are those of what was emitted: what a reader has read ahead, or what waits for an operator,
 * belongs to the epoch in which it is emitted.
 */
export class EpochReading implements Reading {
  readonly #options: EpochReadingOptions
  /** Names the stage in reports. */
  readonly #stage: string
  #current: OpenSplit | undefined
  /** The open epoch. */
  #epoch: number
  /** Since the last barrier. */
  #moved = new Map<string, Position>()
  /** How far readers have been emitted, if their senders wait for acknowledgements. */
  #stood = new Map<AcknowledgedReader, Position>()
  #counts = NO_TOTALS
  /** For what was read last: it belongs to the epoch in which it is emitted. */
  readonly #letters: DeadLetter[] = []
  #read = 0
  #toldRead = 0
  #closedBytes = 0
  #skippedBytes = 0
  #isExhausted = false

  constructor(options: EpochReadingOptions) {
    this.#options = options
    this.#stage = `${options.layer}/${options.partition.index}`
    this.#epoch = options.resumePoint.epoch + 1
  }

  get reader(): SplitReader<unknown> | undefined {
    return this.#current?.reader
  }

  async openNext(signal: AbortSignal): Promise<SplitReader<unknown> | undefined> {
    const { source, queue, resumePoint, reports, acknowledgements } = this.#options
    const split = await queue.take(signal)
    if (split === undefined) return undefined
    const onNote = (note: string): void => reports.noted(split.id, note)
    const from = resumePoint.positions.get(source.nameOf(split))
    const reader = await source.open(split, from, { signal, onNote })
    const skippedBytes = reader.doneBytes
    this.#current = { split, reader, skippedBytes, seen: { read: 0, blank: 0, invalidUtf8: 0 } }
    this.#skippedBytes += skippedBytes
    if (needsAck(reader)) acknowledgements.opened(reader)
    // What a reader consumes before the first record (a header, for example) was not read by an earlier run.
    const resumedBytes = from === undefined ? 0 : skippedBytes
    reports.opened({ split: split.id, note: reader.note, resumedBytes, sizeBytes: split.sizeBytes })
    return reader
  }

  async endSplit(): Promise<void> {
    this.#book(true)
    await this.close()
  }

  begin(read: ReadBatch<unknown>): Batch {
    const { source, resumePoint, reports } = this.#options
    const { events, rejected } = source.marked(read)
    const letters = rejected.map(({ letter }) => letter)
    const first = events.length > 0 ? events.origin(0) : letters[0]?.origin
    if (resumePoint.isCareful && first !== undefined) reports.inHand(first)
    const sound = resumePoint.poison.size === 0 ? events : this.#withoutPoison(events, letters)
    this.letters(letters)
    return sound
  }

  letters(letters: readonly DeadLetter[]): void {
    for (const letter of letters) this.#letters.push(letter)
  }

  end(): void {
    this.#book(false)
    if (this.#letters.length > 0) this.#options.reports.deadLetters(this.#epoch, this.#letters.splice(0))
    this.#counts = addTotals(this.#counts, this.#options.takeCounts())
    if (this.#toldRead === 0 || this.#read - this.#toldRead >= PROGRESS_EVERY) this.#tell()
  }

  endEpoch(epoch: number, send: () => void): void {
    const { reports, acknowledgements } = this.#options
    for (const [reader, position] of this.#stood) acknowledgements.ended(epoch, reader, position)
    this.#stood.clear()
    send()
    reports.source({ epoch, stage: this.#stage, positions: this.#moved, counts: this.#counts })
    this.#moved = new Map()
    this.#counts = NO_TOTALS
    this.#epoch = epoch + 1
    this.#toldRead = 0
    this.#tell()
    this.#toldRead = 0
  }

  exhausted(): void {
    this.#isExhausted = true
    this.#tell()
  }

  async close(): Promise<void> {
    const current = this.#current
    if (current === undefined) return
    this.#current = undefined
    const { reader, skippedBytes } = current
    this.#closedBytes += reader.doneBytes - skippedBytes
    // The others are closed when nothing more is committed.
    if (!needsAck(reader)) await reader.close()
  }

  /** Records that crashed a worker are not processed again. */
  #withoutPoison(events: Batch, letters: DeadLetter[]): Batch {
    const sound: number[] = []
    for (let index = 0; index < events.length; index += 1) {
      const origin = events.origin(index) as Origin
      const found = this.#options.resumePoint.poison.get(recordKey(origin))
      if (found === undefined) sound.push(index)
      else letters.push(deadLetter(origin, WORKER, found))
    }
    return events.select(sound)
  }

  /** Counts what the reader has returned by now. */
  #book(isAtEnd: boolean): void {
    const current = this.#current
    if (current === undefined) return
    const { split, reader, seen } = current
    const { read, blank, invalidUtf8 } = reader.counts
    const isNew = read !== seen.read || (isAtEnd && reader.note === undefined)
    this.#read += read - seen.read
    this.#options.ownCounts.received = this.#read
    this.#counts = addTotals(this.#counts, {
      read: read - seen.read,
      blank: blank - seen.blank,
      invalidUtf8: invalidUtf8 - seen.invalidUtf8,
    })
    current.seen = { read, blank, invalidUtf8 }
    if (!isNew) return
    const position = reader.position()
    this.#moved.set(this.#options.source.nameOf(split), position)
    if (needsAck(reader)) this.#stood.set(reader, position)
  }

  #tell(): void {
    const current = this.#current
    const openBytes = current === undefined ? 0 : current.reader.doneBytes - current.skippedBytes
    this.#toldRead = this.#read
    this.#options.reports.progress({
      stage: this.#stage,
      epoch: this.#epoch,
      inEpoch: this.#counts.read,
      read: this.#read,
      doneBytes: this.#closedBytes + openBytes,
      skippedBytes: this.#skippedBytes,
      split: current?.split.id,
      hasMoved: this.#moved.size > 0,
      isExhausted: this.#isExhausted,
    })
  }
}

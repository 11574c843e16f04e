// A stage that reads the source of a pipeline: gives what is asked for, and cuts epochs off with barriers.

import { inTime } from '../base/closing.ts'
import { isPromise } from '../base/promise.ts'
import { type Beginning, type Ledger, recordKey, type SourceCommand } from '../checkpoint/ledger.ts'
import { type DeadLetter, deadLetter, type Entry, plainOrigin, type Traced, traced } from '../connect/origin.ts'
import type { Position, Split, SplitReader } from '../connect/source.ts'
import { addTotals, NO_TOTALS } from '../connect/totals.ts'
import { Kernel } from '../flow/kernel.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import type { ProducerSpec } from '../stage/hooks.ts'
import { producer } from '../stage/make.ts'
import type { Producer } from '../stage/stage.ts'
import type { WorkTime } from '../stage/work-time.ts'
import { type AcknowledgedReader, type Acknowledgements, isAcknowledged } from './acknowledgements.ts'
import type { PipelineSource } from './pipeline-source.ts'
import type { Tally } from './placed.ts'
import type { SplitQueue, SplitsStageOptions } from './splits-stage.ts'
import type { Busy } from './steps-stage.ts'

export interface EntriesStageOptions {
  readonly name: string
  /** Names the stage in reports. */
  readonly stage: string
  readonly source: PipelineSource
  readonly queue: SplitsStageOptions['queue']
  readonly dispatcher: DispatcherSpec<unknown, never>
  readonly ledger: Ledger
  readonly beginning: Beginning
  readonly acknowledgements: Acknowledgements
  /** Whether events go to other threads: an origin that is an object of a class does not come there whole. */
  readonly isSending: boolean
  readonly meter: (values: readonly unknown[]) => void
  /** The layer's number, for who watches for a batch that does not end. */
  readonly layer: number
  readonly busy?: Busy | undefined
  /** Its time at work, and what it has read. */
  readonly time: WorkTime
  readonly tally: Tally
}

/** The most records read before they go out. */
const READ_AT_ONCE = 2000
/** Records between two reports of progress. */
const PROGRESS_EVERY = 4096
/** Reads that were at hand, one after the other, before others have their turn. */
const READS_IN_A_ROW = 64

interface OpenSplit {
  readonly split: Split
  readonly reader: SplitReader<unknown>
  /** What earlier runs had read of it. */
  readonly skippedBytes: number
  /** What the reader had counted when it was last asked. */
  seen: { readonly read: number; readonly blank: number; readonly invalidUtf8: number }
}

type Self = Producer<unknown>

export function entriesStage(options: EntriesStageOptions): Self {
  return producer<unknown>(new EntriesStage(options))
}

/**
 * Reads split after split, as far as events are wanted. Positions and counts are those of what was given: what a reader
 * has read ahead, or what waits for an operator, belongs to the epoch in which it goes out.
 */
class EntriesStage implements ProducerSpec<unknown> {
  readonly name: string
  readonly dispatcher: DispatcherSpec<unknown, never>
  // What one read becomes, at most: nothing is read before it has gone out.
  readonly bufferSize = Number.POSITIVE_INFINITY
  readonly unwanted = 'end'
  readonly #options: EntriesStageOptions
  readonly #kernel: Kernel
  readonly #stop = new AbortController()
  #queue: SplitQueue | undefined
  #current: OpenSplit | undefined
  /** Asked for and not given. */
  #missing = 0
  #loop: Promise<void> | undefined
  #isReading = false
  #isHeld: boolean
  /** Who waits for reading to go on. */
  #release: PromiseWithResolvers<void> | undefined
  #isExhausted = false
  /** The most records read at once. */
  readonly #atOnce: number
  /** The epoch that is open. */
  #epoch: number
  /** Since the last barrier. */
  #moved = new Map<string, Position>()
  /** Where readers stood, as of what was given of them, whose senders wait to be told. */
  #stood = new Map<AcknowledgedReader, Position>()
  #counts = NO_TOTALS
  /** What the kernel had let go and made when it was last asked. */
  #booked = { filtered: 0, derived: 0 }
  #read = 0
  #toldRead = 0
  #closedBytes = 0
  #skippedBytes = 0

  constructor(options: EntriesStageOptions) {
    this.name = options.name
    this.dispatcher = options.dispatcher
    this.#options = options
    this.#kernel = new Kernel(options.source.head, options.source.isTraced)
    this.#epoch = options.beginning.epoch + 1
    this.#isHeld = options.beginning.isHeld
    this.#atOnce = options.beginning.isCareful ? 1 : READ_AT_ONCE
  }

  onDemand(demand: number, self: Self): void {
    this.#missing += demand
    this.#go(self)
  }

  onMessage(command: SourceCommand, self: Self): void | Promise<void> {
    switch (command.kind) {
      case 'barrier':
        // What a read that was under way still gives belongs to the last epoch.
        if (this.#isReading && this.#stop.signal.aborted) {
          return this.#loop?.then(() => this.#endEpoch(command.epoch, self))
        }
        return this.#endEpoch(command.epoch, self)
      case 'stop':
        return this.#endReading()
      case 'hold':
        this.#isHeld = command.isHeld
        this.#release?.resolve()
        this.#release = undefined
        return this.#go(self)
      case 'committed':
        return // Said to all of this thread's readers at once.
      case 'end':
        return self.complete()
    }
  }

  async onEnd(): Promise<void> {
    this.#endReading()
    const isOver = this.#loop ?? Promise.resolve()
    await inTime(isOver.then(() => this.#closeSplit()))
  }

  #endReading(): void {
    this.#stop.abort()
    this.#release?.resolve()
  }

  #go(self: Self): void {
    if (this.#isReading || !this.#mayRead) return
    this.#loop = this.#run(self).catch((error: unknown) => {
      // A read that was stopped has said all that it will.
      if (!this.#stop.signal.aborted) self.fail(error)
    })
  }

  get #mayRead(): boolean {
    return this.#missing > 0 && !this.#isHeld && !this.#isExhausted && !this.#stop.signal.aborted
  }

  async #run(self: Self): Promise<void> {
    this.#isReading = true
    try {
      this.#queue ??= await this.#options.queue(this.#stop.signal)
      for (let inARow = 1; this.#mayRead; inARow += 1) {
        const current = this.#current ?? (await this.#openNext())
        if (current === undefined) return this.#exhausted()
        const read = this.#readFrom(current.reader)
        const entries = isPromise(read) ? await read : read
        if (isPromise(read)) inARow = 0
        if (entries === undefined) {
          this.#book(current, true)
          await this.#closeSplit()
        } else {
          const made = this.#work(entries)
          const ready = isPromise(made) ? await made : made
          if (this.#isHeld) await this.#released()
          this.#give(current, ready, self)
        }
        if (inARow >= READS_IN_A_ROW) {
          inARow = 0
          await new Promise(setImmediate)
        }
      }
    } finally {
      this.#isReading = false
    }
  }

  /** Of what never ends, a read that waits is none that works. */
  #readFrom(reader: SplitReader<unknown>): ReturnType<SplitReader<unknown>['read']> {
    const { time, source } = this.#options
    time.enter()
    try {
      const read = reader.read(Math.min(this.#missing, this.#atOnce))
      return isPromise(read) && source.isEndless !== true ? time.through(read) : read
    } finally {
      time.leave()
    }
  }

  /** What a read that was under way brought waits, too, until reading goes on or ends. */
  async #released(): Promise<void> {
    while (this.#isHeld && !this.#stop.signal.aborted) {
      this.#release ??= Promise.withResolvers()
      await this.#release.promise
    }
  }

  #work(entries: readonly Entry<unknown>[]): readonly Entry<unknown>[] | Promise<readonly Entry<unknown>[]> {
    const { beginning, ledger, busy, layer, time } = this.#options
    const { poison, isCareful } = beginning
    const own = this.#options.source.marked(entries)
    const sound = poison.size === 0 ? own : own.map((entry) => withoutPoison(entry, poison))
    if (isCareful && sound[0] !== undefined) ledger.suspect(sound[0].origin)
    busy?.begin(layer)
    time.enter()
    try {
      const made = this.#kernel.run(sound)
      return isPromise(made) ? time.through(made) : made
    } finally {
      time.leave()
      busy?.end()
    }
  }

  /** From here on what was read counts as given. */
  #give(current: OpenSplit, entries: readonly Entry<unknown>[], self: Self): void {
    this.#book(current, false)
    const { isSending, source } = this.#options
    const { isTraced } = source
    const events: unknown[] = []
    const letters: DeadLetter[] = []
    for (const entry of entries) {
      if (entry.kind === 'dead') letters.push(entry)
      else events.push(isTraced ? (isSending ? sendable(entry) : entry) : entry.value)
    }
    const { filtered, derived } = this.#kernel.counts
    const { filtered: lastFiltered, derived: lastDerived } = this.#booked
    this.#booked = { filtered, derived }
    this.#counts = addTotals(this.#counts, {
      filtered: filtered - lastFiltered,
      derived: derived - lastDerived,
    })
    if (letters.length > 0) this.#options.ledger.letters(this.#epoch, letters)
    if (events.length > 0) {
      this.#missing = Math.max(0, this.#missing - events.length)
      this.#options.meter(events)
      self.emit(events)
    }
    if (this.#toldRead === 0 || this.#read - this.#toldRead >= PROGRESS_EVERY) this.#tell()
  }

  /** Counts what the reader has given by now. */
  #book(current: OpenSplit, isAtEnd: boolean): void {
    const { split, reader, seen } = current
    const { read, blank, invalidUtf8 } = reader.counts
    const isNew = read !== seen.read || (isAtEnd && reader.note === undefined)
    this.#read += read - seen.read
    this.#options.tally.received = this.#read
    this.#counts = addTotals(this.#counts, {
      read: read - seen.read,
      blank: blank - seen.blank,
      invalidUtf8: invalidUtf8 - seen.invalidUtf8,
    })
    current.seen = { read, blank, invalidUtf8 }
    const { source } = this.#options
    if (!isNew) return
    const position = reader.position()
    this.#moved.set(source.nameOf(split), position)
    if (isAcknowledged(reader)) this.#stood.set(reader, position)
  }

  #endEpoch(epoch: number, self: Self): void {
    const { ledger, stage, acknowledgements } = this.#options
    for (const [reader, position] of this.#stood) acknowledgements.ended(epoch, reader, position)
    this.#stood.clear()
    self.barrier(epoch)
    ledger.source({ epoch, stage, positions: this.#moved, counts: this.#counts })
    this.#moved = new Map()
    this.#counts = NO_TOTALS
    this.#epoch = epoch + 1
    this.#toldRead = 0
    this.#tell()
    this.#toldRead = 0
  }

  #exhausted(): void {
    this.#isExhausted = true
    this.#tell()
  }

  #tell(): void {
    const current = this.#current
    const openBytes = current === undefined ? 0 : current.reader.doneBytes - current.skippedBytes
    this.#toldRead = this.#read
    this.#options.ledger.progress({
      stage: this.#options.stage,
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

  async #openNext(): Promise<OpenSplit | undefined> {
    const split = this.#queue?.take()
    if (split === undefined) return undefined
    const { source, beginning, ledger } = this.#options
    const { signal } = this.#stop
    const onNote = (note: string): void => ledger.noted(split.id, note)
    const reader = await source.open(split, beginning.positions.get(source.nameOf(split)), { signal, onNote })
    const skippedBytes = reader.doneBytes
    this.#current = { split, reader, skippedBytes, seen: { read: 0, blank: 0, invalidUtf8: 0 } }
    this.#skippedBytes += skippedBytes
    if (isAcknowledged(reader)) this.#options.acknowledgements.opened(reader)
    ledger.opened({ split: split.id, note: reader.note, resumedBytes: skippedBytes, sizeBytes: split.sizeBytes })
    return this.#current
  }

  async #closeSplit(): Promise<void> {
    const current = this.#current
    if (current === undefined) return
    this.#current = undefined
    const { reader, skippedBytes } = current
    this.#closedBytes += reader.doneBytes - skippedBytes
    // The others are closed when nothing more is committed.
    if (!isAcknowledged(reader)) await reader.close()
  }
}

function sendable(event: Traced<unknown>): Traced<unknown> {
  const { value, origin } = event
  return Object.getPrototypeOf(origin) === Object.prototype ? event : traced(value, plainOrigin(origin))
}

/** The step of records that ended a worker. */
const WORKER = 'worker'

function withoutPoison(entry: Entry<unknown>, poison: ReadonlyMap<string, string>): Entry<unknown> {
  const found = poison.get(recordKey(entry.origin))
  return found === undefined ? entry : deadLetter(entry.origin, WORKER, found)
}

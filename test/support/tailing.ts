// Reads a tail in tests: by a clock that is turned by hand, until it has nothing more to give.

import { type ReadBatch, recordsOf } from '../../src/connect/batch.ts'
import type { SourceRecord } from '../../src/connect/origin.ts'
import type { Position, Source, SplitReader } from '../../src/connect/source.ts'
import { type TailSourceOptions, tailSource } from '../../src/connect/tail/source.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

export const POLL_MS = 10
export const GRACE_MS = 50

const lines = { name: 'lines', open: () => (text: string) => text }

/** A tail at work: stopped and started again it goes on from its last committed position. */
export class Tailing {
  readonly clock: ManualClock = new ManualClock({ startMs: Date.now() })
  readonly source: Source<string>
  readonly notes: string[] = []
  /** All entries given since the first start, without those that a restart took back. */
  entries: SourceRecord<string>[] = []
  #reader: SplitReader<string> | undefined
  #reading: { readonly given: Promise<ReadBatch<string> | undefined>; isSettled: boolean } | undefined
  position: Position | undefined
  /** How many entries came before the position. */
  #committed = 0
  /** Whether every batch is committed at once. */
  isCommitting = true

  constructor(input: string | readonly string[], options: TailSourceOptions = {}) {
    this.source = tailSource(input, lines, { clock: this.clock, pollMs: POLL_MS, graceMs: GRACE_MS, ...options })
  }

  get texts(): string[] {
    return this.entries.map(({ origin }) => origin.raw)
  }

  get reader(): SplitReader<string> {
    if (this.#reader === undefined) throw new Error('the tail is not running')
    return this.#reader
  }

  /** Reads until nothing came for so many looks. */
  async read(looks = 3, max = 100): Promise<string[]> {
    await this.start()
    const from = this.entries.length
    for (let idle = 0; ; ) {
      const entries = await this.#next(max)
      if (entries === 'waiting') {
        idle += 1
        if (idle > looks) break
        await this.clock.advance(POLL_MS)
      } else {
        idle = 0
        this.entries.push(...entries)
        if (this.isCommitting) this.commit()
      }
    }
    return this.texts.slice(from)
  }

  /** Reads until all that was rotated away is surely finished. */
  async settle(): Promise<string[]> {
    return await this.read((4 * GRACE_MS) / POLL_MS)
  }

  /** What is there, or that the reader waits for its clock. */
  async #next(max: number): Promise<readonly SourceRecord<string>[] | 'waiting'> {
    if (this.#reading === undefined) {
      const given = this.reader.read(max)
      if (!(given instanceof Promise)) return given === undefined ? [] : recordsOf(given)
      this.#reading = { given, isSettled: false }
      const settle = (): void => {
        if (this.#reading?.given === given) this.#reading.isSettled = true
      }
      given.then(settle, settle)
    }
    const sinceMs = performance.now()
    while (!this.#reading.isSettled) {
      if (this.clock.sleepers > 0) return 'waiting'
      if (performance.now() - sinceMs > 60_000) throw new Error('the reader neither gives anything nor waits')
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { given } = this.#reading
    this.#reading = undefined
    const read = await given
    return read === undefined ? [] : recordsOf(read)
  }

  async start(): Promise<void> {
    if (this.#reader !== undefined) return
    const [split] = await this.source.splits()
    if (split === undefined) throw new Error('a tail has one split')
    this.#reader = await this.source.open(split, this.position, { onNote: (note) => this.notes.push(note) })
  }

  /** Keeps the position, as a checkpoint does. */
  commit(): void {
    this.position = JSON.parse(JSON.stringify(this.reader.position()))
    this.#committed = this.entries.length
  }

  /** Stops, and takes back what was given since the last commit. */
  async crash(): Promise<void> {
    await this.stop()
    this.entries.length = this.#committed
  }

  async stop(): Promise<void> {
    await this.#reader?.close()
    await this.#reading?.given
    this.#reader = undefined
    this.#reading = undefined
  }
}

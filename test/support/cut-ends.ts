// Cuts runs short between real sources and real stores: a killed run answers nothing more, and leaves what it had open
// as the system would close it, without a commit.

import type { Sink, SinkWriter } from '../../src/connect/sink.ts'
import type { Source, SplitReader } from '../../src/connect/source.ts'
import type { CutProcess } from '../../src/testing/cut-short.ts'

/** What a run has open, to be closed once it is over or killed. */
export class OpenEnds {
  readonly #process: CutProcess
  readonly #open = new Set<{ close(): Promise<void> }>()
  /** Calls of the sink under way: a kill comes before or behind each, never into it. */
  readonly #pending = new Set<Promise<unknown>>()
  /** How many entries were given. */
  given = 0
  /** Whether the run is over: what it still meant to do is not done. */
  #isOver = false

  constructor(process: CutProcess) {
    this.#process = process
  }

  source<T>(source: Source<T>): Source<T> {
    return {
      ...source,
      open: async (split, from, options) => {
        return this.#reader(await this.#touch(() => this.#opened(source.open(split, from, options))))
      },
    }
  }

  sink<Row>(sink: Sink<Row>): Sink<Row> {
    return { ...sink, open: async (options) => this.#writer(await this.#touch(() => this.#opened(sink.open(options)))) }
  }

  /** Closes what the run left open. */
  async close(): Promise<void> {
    this.#isOver = true
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending)
    for (const one of this.#open) await one.close()
    this.#open.clear()
  }

  #reader<T>(reader: SplitReader<T>): SplitReader<T> {
    return {
      ...(reader.note === undefined ? {} : { note: reader.note }),
      // Not waited for: a read may wait for what never comes, until its reader is closed.
      read: async (max) => {
        const read = await this.#touch(() => {
          // What was held back here until after its end would be a call that no run makes.
          if (!this.#open.has(reader)) throw new Error('cut')
          const reading = reader.read(Math.min(max, 7))
          // A reader that is closed meanwhile may fail it, and nobody hears of that.
          if (reading instanceof Promise) reading.catch(() => {})
          return reading
        })
        this.given += read === undefined ? 0 : read.events.length + read.rejected.length
        return read
      },
      position: () => reader.position(),
      get counts() {
        return reader.counts
      },
      get doneBytes() {
        return reader.doneBytes
      },
      close: () => this.#closed(reader),
    }
  }

  #writer<Row>(writer: SinkWriter<Row>): SinkWriter<Row> {
    return {
      checkpoint: writer.checkpoint,
      write: (events) => this.#touch(() => this.#track(writer.write(events))),
      writeDeadLetters: (letters) => this.#touch(() => this.#track(writer.writeDeadLetters(letters))),
      commit: (checkpoint) => this.#touch(() => this.#track(writer.commit(checkpoint))),
      close: () => this.#closed(writer),
    }
  }

  #touch<T>(work: () => T | Promise<T>): T | Promise<T> {
    const unlessOver = (): T | Promise<T> => (this.#isOver ? new Promise<T>(() => {}) : work())
    return this.#process.touch(unlessOver) as T | Promise<T>
  }

  #track<T>(given: T): T {
    if (given instanceof Promise) {
      const pending = given.finally(() => this.#pending.delete(pending))
      pending.catch(() => {}) // Heard of by who called.
      this.#pending.add(pending)
    }
    return given
  }

  #opened<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
    return this.#track(
      opening.then((end) => {
        this.#open.add(end)
        return end
      }),
    )
  }

  async #closed(end: { close(): Promise<void> }): Promise<void> {
    this.#open.delete(end)
    await end.close()
  }
}

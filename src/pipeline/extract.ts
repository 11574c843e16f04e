// Reads a source from split to split, and knows at any time what has been read and where reading stands.

import { invariant } from '../base/invariant.ts'
import { isPromise } from '../base/promise.ts'
import type { Entry } from '../connect/origin.ts'
import type { Position, Source, SourceCounts, Split, SplitReader } from '../connect/source.ts'

type Entries = readonly Entry<unknown>[]

/** What was read up to a barrier, since the one before it. */
export interface Extract {
  readonly positions: ReadonlyMap<string, Position>
  readonly counts: Readonly<SourceCounts>
}

export interface ExtractorOptions {
  readonly source: Source<unknown>
  readonly splits: readonly Split[]
  /** Where an earlier run left each split. */
  readonly positions: ReadonlyMap<string, Position>
  /** Told of each split; `resumedBytes` is what earlier runs had read of it. */
  readonly onOpen: (split: Split, note: string | undefined, resumedBytes: number) => void
}

interface OpenSplit {
  readonly split: Split
  readonly reader: SplitReader<unknown>
  /** What earlier runs had read of it. */
  readonly skippedBytes: number
}

/**
 * Gives the entries of all splits, one split after the other. Positions and counts are those of what was given, not of
 * what a reader may have read ahead.
 */
export class Extractor {
  readonly #options: ExtractorOptions
  /** Ends a read that waits. */
  readonly #stop = new AbortController()
  /** The split being read. */
  #current: OpenSplit | undefined
  #nextSplit = 0
  /** Positions that moved since the last barrier. */
  #moved = new Map<string, Position>()
  /** Counts since the last barrier, of splits that are closed or as far as the current one was seen. */
  #counts = noCounts()
  /** The current reader's counts as they were last seen. */
  #seen = noCounts()
  #closedBytes = 0
  /** Bytes of the opened splits that earlier runs had read. */
  #skippedBytes = 0
  readonly #sizeBytes: number | undefined
  /** Records read in all by this run. */
  read = 0
  unchanged = 0

  constructor(options: ExtractorOptions) {
    this.#options = options
    let sizeBytes: number | undefined = 0
    for (const split of options.splits) {
      sizeBytes = split.sizeBytes === undefined || sizeBytes === undefined ? undefined : sizeBytes + split.sizeBytes
    }
    this.#sizeBytes = sizeBytes
  }

  get doneBytes(): number {
    const current = this.#current
    return this.#closedBytes + (current === undefined ? 0 : current.reader.doneBytes - current.skippedBytes)
  }

  get totalBytes(): number | undefined {
    return this.#sizeBytes === undefined ? undefined : this.#sizeBytes - this.#skippedBytes
  }

  get split(): string | undefined {
    return this.#current?.split.id
  }

  /** Whether anything was read that no barrier has closed off yet. */
  get hasMoved(): boolean {
    return this.#moved.size > 0
  }

  /** Up to `max` entries, at once if they are at hand; undefined at the end of the last split, or after `stop`. */
  next(max: number): Entries | undefined | Promise<Entries | undefined> {
    const current = this.#current
    if (current === undefined || this.#stop.signal.aborted) return this.#openAndRead(max)
    const given = current.reader.read(max)
    if (isPromise(given)) return given.then((entries) => this.#given(entries) ?? this.#openAndRead(max))
    return this.#given(given) ?? this.#openAndRead(max)
  }

  /** What was given since the last call: what the barrier that is sent now closes off. */
  cut(): Extract {
    const extract = { positions: this.#moved, counts: this.#counts }
    this.#moved = new Map()
    this.#counts = noCounts()
    return extract
  }

  /** Gives nothing more; a read that waits ends at once. */
  stop(): void {
    this.#stop.abort()
  }

  get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  async close(): Promise<void> {
    this.stop()
    await this.#closeReader()
  }

  /** Books what a reader gave; at its end undefined. */
  #given(entries: Entries | undefined): Entries | undefined {
    invariant(this.#current !== undefined, 'nothing was read: no split is open')
    const { split, reader } = this.#current
    const { counts } = reader
    const isNew = counts.read !== this.#seen.read || (entries === undefined && reader.note === undefined)
    this.read += counts.read - this.#seen.read
    this.#counts.read += counts.read - this.#seen.read
    this.#counts.blank += counts.blank - this.#seen.blank
    this.#counts.invalidUtf8 += counts.invalidUtf8 - this.#seen.invalidUtf8
    this.#seen = { ...counts }
    if (isNew) this.#moved.set(split.id, reader.position())
    return entries
  }

  /** On to the next split that has something. */
  async #openAndRead(max: number): Promise<Entries | undefined> {
    for (;;) {
      await this.#closeReader()
      const split = this.#options.splits[this.#nextSplit]
      if (split === undefined || this.isStopped) return undefined
      this.#nextSplit += 1
      await this.#open(split)
      const entries = this.#given(await this.#current?.reader.read(max))
      if (entries !== undefined) return entries
    }
  }

  async #open(split: Split): Promise<void> {
    const { source, positions, onOpen } = this.#options
    const reader = await source.open(split, positions.get(split.id), { signal: this.#stop.signal })
    this.#current = { split, reader, skippedBytes: reader.doneBytes }
    this.#skippedBytes += reader.doneBytes
    this.#seen = noCounts()
    if (reader.note !== undefined) this.unchanged += 1
    onOpen(split, reader.note, reader.doneBytes)
  }

  async #closeReader(): Promise<void> {
    const current = this.#current
    if (current === undefined) return
    this.#current = undefined
    this.#closedBytes += current.reader.doneBytes - current.skippedBytes
    await current.reader.close()
  }
}

function noCounts(): SourceCounts {
  return { read: 0, blank: 0, invalidUtf8: 0 }
}

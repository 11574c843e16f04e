// Reads the rows of a query: each once, over all runs, as far as the rows allow.

import { SluiceError } from '../../../base/errors.ts'
import type { ReadBatch } from '../../batch.ts'
import { Rejection } from '../../format.ts'
import type { Origin } from '../../origin.ts'
import type { Json, Position, SourceCounts, SplitReader } from '../../source.ts'
import { readRows } from './read-rows.ts'
import { digestOf, lost, MOST_TIED, type Reading, type Stood, toPosition } from './stood.ts'
import { Unfit } from './unfit.ts'

/** Where a row is: before the position at which reading began, at it, or after it. */
export type Side = 'before' | 'at' | 'beyond'

/**
 * Rows as a database returns them: by the cursor from the position on, including rows at it; otherwise from the last
 * row on.
 */
export interface QueryFeed<Raw, Row> {
  /** The next rows, at least one; undefined at the end. */
  next(): readonly Raw[] | undefined | Promise<readonly Raw[] | undefined>
  /**
   * @throws {Unfit} for a value that cannot be represented
   */
  valueOf(raw: Raw): Row
  /** The row for people, the same whenever it is the same row. */
  rawOf(raw: Raw): string
  /** As stored in the position. */
  cursorOf(raw: Raw): Json | undefined
  sideOf(raw: Raw): Side
  /** Whether the cursor of a row equals that of the previous row. */
  isTied(raw: Raw, before: Raw): boolean
  readonly doneBytes: number
  close(): void | Promise<void>
}

export interface QueryOptions<Raw, Row> extends Reading {
  /** The step of dead letters: `postgres`. */
  readonly step: string
  readonly feed: QueryFeed<Raw, Row>
  readonly from: Stood
  /** Whether rows before the position are read again. */
  readonly looksBack: boolean
  readonly signal: AbortSignal | undefined
  readonly onNote: ((note: string) => void) | undefined
}

export class QueryReader<Raw, Row> implements SplitReader<Row> {
  readonly #options: QueryOptions<Raw, Row>
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  /** Set when nothing follows the end of an earlier run. */
  note?: string
  /** Rows that were fetched and not yet returned, from `#at` on; undefined at the end. */
  #rows: readonly Raw[] | undefined = []
  #at = 0
  #stood: Stood
  /** The last row returned, if it is beyond the position at which reading began. */
  #last: Raw | undefined
  #isClosed = false

  private constructor(options: QueryOptions<Raw, Row>) {
    this.#options = options
    this.#stood = options.from
  }

  /** Waits for the first rows, and finds those among them that an earlier run has read. */
  static async open<Raw, Row>(options: QueryOptions<Raw, Row>): Promise<QueryReader<Raw, Row>> {
    const reader = new QueryReader(options)
    reader.#rows = await reader.#beyondKnown()
    if (reader.#rows === undefined && options.from.rows > 0) {
      const unseen = options.cursor === undefined ? '; without a cursor, changed rows are not seen' : ''
      reader.note = `there are no new rows${unseen}`
    }
    return reader
  }

  get doneBytes(): number {
    return this.#options.feed.doneBytes
  }

  read(max: number): ReadBatch<Row> | undefined | Promise<ReadBatch<Row> | undefined> {
    const rows = this.#take(max)
    return rows instanceof Promise ? rows.then((later) => this.#batchOf(later)) : this.#batchOf(rows)
  }

  position(): Position {
    return toPosition(this.#options, this.#stood)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#rows = undefined
    await this.#options.feed.close()
  }

  #batchOf(rows: readonly Raw[] | undefined): ReadBatch<Row> | undefined {
    if (rows === undefined) return undefined
    const { feed, step } = this.#options
    const first = this.#stood.rows - rows.length
    return readRows(rows, {
      step,
      make: (row) => valueIn(feed, row),
      originOf: (row, index) => this.#originOf(row, first + index),
    })
  }

  #originOf(row: Raw, number: number): Origin {
    const { feed, source } = this.#options
    return {
      source,
      line: 0,
      offset: number,
      get raw() {
        return feed.rawOf(row)
      },
    }
  }

  #take(max: number): readonly Raw[] | undefined | Promise<readonly Raw[] | undefined> {
    this.#options.signal?.throwIfAborted()
    if (this.#rows !== undefined && this.#at === this.#rows.length) {
      const next = this.#options.feed.next()
      if (next instanceof Promise) return next.then((rows) => this.#filled(rows, max))
      return this.#filled(next, max)
    }
    return this.#given(max)
  }

  #filled(rows: readonly Raw[] | undefined, max: number): readonly Raw[] | undefined {
    if (this.#isClosed) return undefined
    this.#rows = rows
    this.#at = 0
    return this.#given(max)
  }

  #given(max: number): readonly Raw[] | undefined {
    const rows = this.#rows?.slice(this.#at, this.#at + max)
    if (rows === undefined) return undefined
    this.#at += rows.length
    this.counts.read += rows.length
    this.#stood = { ...this.#standAfter(rows), rows: this.#stood.rows + rows.length }
    return rows
  }

  /** How the last of these rows is identified. Rows before the position change nothing. */
  #standAfter(rows: readonly Raw[]): Omit<Stood, 'rows'> {
    const { feed, cursor, from } = this.#options
    const last = rows.at(-1) as Raw
    if (cursor === undefined) return { after: undefined, known: [digestOf(feed.rawOf(last))] }
    if (from.after !== undefined && feed.sideOf(last) === 'before') return this.#stood
    let first = rows.length - 1
    while (first > 0 && feed.isTied(rows[first] as Raw, rows[first - 1] as Raw)) first -= 1
    // Those at the position at which reading began are tied with the rows that it knows.
    const isAt = from.after !== undefined && feed.sideOf(last) === 'at'
    const goesOn = first === 0 && (isAt || (this.#last !== undefined && feed.isTied(rows[0] as Raw, this.#last)))
    if (isAt && this.#options.looksBack) return this.#stood
    this.#last = last
    const tied = rows.slice(first).map((row) => digestOf(feed.rawOf(row)))
    const known = goesOn ? [...(this.#stood.known ?? []), ...tied] : tied
    if (known.length > MOST_TIED) throw this.#tied()
    return { after: feed.cursorOf(last) as Json, known }
  }

  #tied(): SluiceError<'CONFIG_INVALID'> {
    const { source, cursor } = this.#options
    const allowed = `columns of which at most ${MOST_TIED.toLocaleString('en-US')} rows have the same values`
    const message = `Cannot read ${source} by ${[cursor].flat().join(', ')}: cursor takes ${allowed}, and there are more: add a column that tells them apart`
    return new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: cursor, allowed })
  }

  /** The first rows without those that an earlier run has read. */
  async #beyondKnown(): Promise<readonly Raw[] | undefined> {
    const { feed, cursor, from, looksBack } = this.#options
    if (cursor === undefined) return from.rows === 0 ? await feed.next() : await this.#afterLast()
    if (from.after === undefined || looksBack) return await feed.next()
    return await this.#afterTied(from.known)
  }

  /** Without a cursor: the row that was the last one must exist, and come first. */
  async #afterLast(): Promise<readonly Raw[] | undefined> {
    const { feed, from } = this.#options
    const rows = await feed.next()
    const [first] = rows ?? []
    if (rows === undefined || first === undefined) throw this.#changed(`there are fewer than ${from.rows} rows now`)
    const known = from.known?.[0]
    if (known !== undefined && known !== digestOf(feed.rawOf(first))) {
      throw this.#changed(`row ${from.rows} is not the one that was read`)
    }
    return rows.length > 1 ? rows.slice(1) : await feed.next()
  }

  #changed(found: string): SluiceError<'POSITION_LOST'> {
    const why = `${found}: rows were deleted, changed or reordered, so new ones cannot be found by row number`
    const what =
      'read them by a cursor, or reset the checkpoint and empty the target table: a full refresh is not supported yet'
    return lost(this.#options, this.position(), `${why}; ${what}`)
  }

  /**
   * With a cursor: rows tied with the last row that are not among those read with it are new. If some of those are no
   * longer there unchanged, it is unknown which are new.
   */
  async #afterTied(known: readonly string[] | undefined): Promise<readonly Raw[] | undefined> {
    const { feed } = this.#options
    const missing = countOf(known ?? [])
    let [left, held] = [known?.length ?? 1, [] as Raw[]]
    for (;;) {
      const rows = await feed.next()
      const others = rows?.findIndex((row) => feed.sideOf(row) !== 'at') ?? 0
      const tied = rows === undefined || others === 0 ? [] : others === -1 ? rows : rows.slice(0, others)
      for (const row of tied) {
        const digest = digestOf(feed.rawOf(row))
        const count = missing.get(digest) ?? 0
        if (count > 0) {
          missing.set(digest, count - 1)
          left -= 1
        } else held.push(row)
      }
      const isOver = rows === undefined || others !== -1
      if (isOver && left > 0) held = this.#judged(held, left, known)
      const beyond = rows === undefined || others === -1 ? [] : rows.slice(others)
      if (left === 0 || isOver) {
        if (held.length + beyond.length > 0) return [...held, ...beyond]
        if (rows === undefined) return undefined
      } else if (held.length > MOST_TIED) throw this.#tied()
    }
  }

  /** Rows that equal none of those read, of which `left` are missing: that many may be those, changed since. */
  #judged(held: readonly Raw[], left: number, known: readonly string[] | undefined): Raw[] {
    if (held.length === 0) return []
    const { source, cursor, from, onNote } = this.#options
    const by = [cursor].flat().join(', ')
    const at = JSON.stringify(from.after)
    if (known === undefined) {
      if (held.length > 1) {
        onNote?.(
          `${source}: ${held.length} rows have ${at} in ${by}, where an earlier version ended: one was read, the others are skipped`,
        )
      }
      return []
    }
    if (held.length <= left) {
      onNote?.(
        `${source}: ${held.length} rows with ${at} in ${by} have changed since they were read: they are not read again`,
      )
      return []
    }
    const allowed = 'columns that together are different in every row'
    const message = `Cannot read ${source} by ${by}: ${held.length} rows with ${at} are not as they were read, and ${held.length - left} of them are new: cursor takes ${allowed}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: cursor, allowed })
  }
}

function countOf(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}

function valueIn<Raw, Row>(feed: QueryFeed<Raw, Row>, row: Raw): Row | Rejection {
  try {
    return feed.valueOf(row)
  } catch (error) {
    if (error instanceof Unfit) return new Rejection(error.message)
    throw error
  }
}

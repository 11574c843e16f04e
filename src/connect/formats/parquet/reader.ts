// Reads one row group of a Parquet file, as a split.

import { isSluiceError } from '../../../base/errors.ts'
import type { ReadBatch } from '../../batch.ts'
import { ColumnBatch, lazyField, type MakeRows } from '../../column-batch.ts'
import { Rejection } from '../../format.ts'
import { cannotRead } from '../../kits/files/errors.ts'
import { readRows } from '../../kits/rows/read-rows.ts'
import { rowsMaker } from '../../kits/rows/rows-maker.ts'
import type { Origin } from '../../origin.ts'
import type { Position, SourceCounts, SplitReader } from '../../source.ts'
import { vectorOf } from '../../vector.ts'
import { corruptParquet, isDamage, OverLimit, overLimit } from './errors.ts'
import { Refusal } from './physical.ts'
import type { ParquetPosition } from './position.ts'
import type { GroupRow, RowGroupOptions, RowGroupReader } from './row-group.ts'

/** About how much a value takes. */
const BYTES_OF_A_VALUE = 24
/** The step of its dead letters. */
const STEP = 'parquet'

export interface ParquetReaderParts extends Pick<RowGroupOptions, 'file' | 'group' | 'handle' | 'limit'> {
  readonly rows: RowGroupReader
  readonly names: readonly string[]
  /** Rows read by earlier runs. */
  readonly done: number
  readonly signal: AbortSignal | undefined
}

export class ParquetReader<Row> implements SplitReader<Row> {
  readonly #parts: ParquetReaderParts
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  /** Rows not yet returned, by their columns, or one by one: those from `#at` on. */
  #columns: readonly unknown[][] | undefined
  #rows: readonly GroupRow[] = []
  #at = 0
  /** A read under way, which closing awaits. */
  #reading: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(parts: ParquetReaderParts) {
    this.#parts = parts
  }

  read(max: number): ReadBatch<Row> | undefined | Promise<ReadBatch<Row> | undefined> {
    this.#parts.signal?.throwIfAborted()
    if (this.#isClosed) return undefined
    if (this.#at < this.#made) return this.#take(max)
    if (this.#done === this.#parts.group.rows) return undefined
    const filling = this.#fill()
    this.#reading = filling.catch(() => {})
    return filling.then(() => (this.#isClosed ? undefined : this.#take(max)))
  }

  position(): Position {
    const position: ParquetPosition = { rows: this.#done, ...this.#parts.file.id, ...this.#parts.file.identity }
    return position
  }

  get doneBytes(): number {
    const { rows, bytes } = this.#parts.group
    return this.#done === rows ? bytes : Math.floor((bytes * this.#done) / rows)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#reading
    this.#rows = []
    await this.#parts.rows.close()
    await this.#parts.handle.close()
  }

  get #made(): number {
    return this.#columns?.[0]?.length ?? this.#rows.length
  }

  get #done(): number {
    return this.#parts.done + this.counts.read
  }

  async #fill(): Promise<void> {
    const { rows, signal } = this.#parts
    this.#at = 0
    this.#rows = []
    this.#columns = await guarded(this.#parts, () => rows.nextColumns())
    if (this.#columns === undefined) this.#rows = (await guarded(this.#parts, () => rows.next())) ?? []
    signal?.throwIfAborted()
  }

  #take(max: number): ReadBatch<Row> {
    const first = this.#parts.group.from + this.#done
    if (this.#columns !== undefined) return this.#takeColumns(this.#columns, first, max)
    const rows = this.#rows.slice(this.#at, this.#at + max)
    this.#at += rows.length
    this.counts.read += rows.length
    return readRows(rows, {
      step: STEP,
      make: ({ row, reason }) => (row === undefined ? new Rejection(reason) : (row as Row)),
      originOf: ({ values }, index) => this.#originOf(() => values, first + index),
    })
  }

  #takeColumns(all: readonly unknown[][], first: number, max: number): ReadBatch<Row> {
    const { names } = this.#parts
    const [from, to] = [this.#at, Math.min(this.#made, this.#at + max)]
    const columns = all.map((column) => (from === 0 && to === column.length ? column : column.slice(from, to)))
    const length = to - from
    this.#at = to
    this.counts.read += length
    const fields = new Map(names.map((name, at) => [name, lazyField(() => vectorOf(columns[at] as unknown[]))]))
    const at = (index: number): Origin => this.#originOf(() => columns.map((column) => column[index]), first + index)
    const bytes = length * names.length * BYTES_OF_A_VALUE
    const made = { length, fields, make: rowsMaker(names) as MakeRows<Row>, origins: { at }, bytes }
    return { events: new ColumnBatch(made), rejected: [] }
  }

  #originOf(values: () => readonly unknown[], number: number): Origin {
    const { file, names } = this.#parts
    return {
      source: file.path,
      line: number + 1,
      offset: number,
      get raw() {
        return rawOf(names, values())
      },
    }
  }
}

/** Works on a file; errors say in which file. */
export async function guarded<T>(
  { file, rows, limit }: Pick<ParquetReaderParts, 'file' | 'rows' | 'limit'>,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    if (isSluiceError(thrown)) throw thrown
    if (thrown instanceof OverLimit) throw overLimit(file.path, limit, thrown)
    if (isDamage(thrown)) throw corruptParquet(file.path, rows.fileAt, thrown.message, thrown)
    throw thrown instanceof Error && 'syscall' in thrown ? cannotRead(file.path, rows.fileAt, thrown) : thrown
  }
}

/** A row as JSON for people: bytes as hexadecimal digits, and what JSON cannot represent as text. */
function rawOf(names: readonly string[], values: readonly unknown[]): string {
  const parts = names.map((name, at) => `${JSON.stringify(name)}:${JSON.stringify(values[at], shown) ?? 'null'}`)
  return `{${parts.join(',')}}`
}

function shown(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Refusal) return value.shown
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

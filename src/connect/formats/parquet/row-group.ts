// The rows of one row group, from its columns, a few at a time.

import type { FileHandle } from 'node:fs/promises'
import { objectMaker } from '../../kits/rows/object-maker.ts'
import { type TakeValue, takerOf } from './assemble.ts'
import { Budget } from './budget.ts'
import { ChunkFile } from './chunk-file.ts'
import { ChunkPages } from './chunk-pages.ts'
import { ColumnReader } from './column-reader.ts'
import type { ColumnValues } from './conversion.ts'
import { Damage } from './errors.ts'
import type { ParquetFile } from './file.ts'
import { type ColumnChunk, chunksOf, type RowGroup } from './footer.ts'
import { Refusal } from './physical.ts'
import { leavesOf, type SchemaNode } from './schema.ts'

/** A row, or why it was rejected. */
export interface GroupRow {
  /** One per column, in their order. */
  readonly values: readonly unknown[]
  /** Undefined for a rejected row. */
  readonly row: Record<string, unknown> | undefined
  readonly reason: string
}

export interface RowGroupOptions {
  readonly handle: FileHandle
  readonly file: ParquetFile
  readonly group: RowGroup
  /** Those that are read. */
  readonly columns: readonly SchemaNode[]
  /** By the indexes of the columns that have values. */
  readonly valuesAt: (place: number) => ColumnValues
  readonly limit: number
}

/** The most rows made at once, and values; and the approximate bytes of those values. */
const MAX_ROWS = 1024
const MAX_VALUES = 8_192
const WINDOW_BYTES = 8 * 1024 * 1024
/** What all columns together read ahead, and each at least and at most. */
const AHEAD_BYTES = 8 * 1024 * 1024
const MIN_AHEAD = 4 * 1024
const MAX_AHEAD = 64 * 1024

export class RowGroupReader {
  readonly #group: RowGroup
  readonly #pages: readonly ChunkPages[]
  readonly #readers: readonly ColumnReader[]
  /** Takes the values of each column; undefined for columns with one value in each row, as nearly all have. */
  readonly #takers: readonly (TakeValue | undefined)[]
  /** The readers of the latter. */
  readonly #flat: readonly (ColumnReader | undefined)[]
  readonly #names: readonly string[]
  readonly #make: (values: readonly unknown[]) => Record<string, unknown>
  readonly #atOnce: number
  #done = 0
  /** The first value of the current row that cannot be represented. */
  #refusal: Refusal | undefined
  #refusedColumn = ''
  /** Where in the file it is working, for messages. */
  #fileAt: () => number = () => 0

  constructor({ handle, file, group, columns, valuesAt, limit }: RowGroupOptions) {
    this.#group = group
    const leaves = columns.flatMap(leavesOf)
    const chunks = group.rows === 0 ? [] : chunksOf(file.footer, group)
    if (group.rows > 0 && chunks.length !== file.schema.leaves.length) {
      throw new Damage(`a row group has ${chunks.length} columns, and the schema ${file.schema.leaves.length}`)
    }
    const budget = new Budget(limit)
    const count = Math.max(1, leaves.length)
    const aheadBytes = Math.max(MIN_AHEAD, Math.min(MAX_AHEAD, Math.floor(AHEAD_BYTES / count)))
    const shareBytes = Math.floor(WINDOW_BYTES / count)
    const readers: ColumnReader[] = []
    const pages: ChunkPages[] = []
    for (const leaf of group.rows === 0 ? [] : leaves) {
      const chunk = chunks[leaf.place] as ColumnChunk
      const name = leaf.path.join('.')
      check(chunk, leaf, group, file.footerAt)
      const chunkFile = new ChunkFile(handle, chunk.from + chunk.bytes, aheadBytes)
      const own = new ChunkPages({ file: chunkFile, chunk, name, budget })
      pages.push(own)
      const values = valuesAt(leaf.place)
      readers[leaf.place] = new ColumnReader({ leaf, values, pages: own, valueCount: chunk.values, budget, shareBytes })
    }
    this.#pages = pages
    this.#readers = readers.filter((reader) => reader !== undefined)
    this.#names = columns.map(({ name }) => name)
    this.#make = objectMaker(this.#names)
    const isFlat = (node: SchemaNode): boolean => node.kind === 'leaf' && node.repeats === 0
    this.#flat = columns.map((node) => (isFlat(node) ? readers[leavesOf(node)[0]?.place as number] : undefined))
    this.#takers = columns.map((node) =>
      isFlat(node) ? undefined : takerOf(node, readers, (refusal) => this.#refuse(refusal, node.name)),
    )
    this.#atOnce = Math.max(1, Math.min(MAX_ROWS, Math.floor(MAX_VALUES / count)))
  }

  /** Where in the file it worked last. */
  get fileAt(): number {
    return this.#fileAt()
  }

  /** Checks all pages: no row of a damaged row group is to be returned. */
  async verify(): Promise<void> {
    for (const pages of this.#pages) {
      this.#fileAt = () => pages.at
      await pages.verify()
    }
  }

  /** Skips the rows that earlier runs have read. */
  async skip(rows: number): Promise<void> {
    while (this.#done < rows) {
      const some = await this.#fill(rows - this.#done)
      for (let row = 0; row < some; row += 1) this.#valuesOf()
      this.#done += some
    }
    this.#refusal = undefined
    this.#checkEnd()
  }

  /** The next rows, at least one; undefined at the end. */
  async next(): Promise<GroupRow[] | undefined> {
    const left = this.#group.rows - this.#done
    if (left === 0) return undefined
    const some = await this.#fill(left)
    const rows: GroupRow[] = []
    for (let row = 0; row < some; row += 1) rows.push(this.#take())
    this.#done += some
    this.#checkEnd()
    return rows
  }

  /**
   * The next rows by their columns, if each column has one value for a row, and all values can be represented. What is
   * undefined comes with `next`.
   */
  async nextColumns(): Promise<readonly unknown[][] | undefined> {
    const left = this.#group.rows - this.#done
    if (left === 0 || this.#flat.length === 0 || this.#flat.includes(undefined)) return undefined
    const some = await this.#fill(left)
    const columns: unknown[][] = []
    for (const column of this.#flat as readonly ColumnReader[]) {
      const values = column.values.slice(column.at, column.at + some)
      if (values.some((value) => value instanceof Refusal)) return undefined
      columns.push(values)
    }
    for (const column of this.#flat as readonly ColumnReader[]) column.at += some
    this.#done += some
    this.#checkEnd()
    return columns
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close()
  }

  async #fill(rows: number): Promise<number> {
    let some = Math.min(rows, this.#atOnce)
    for (const reader of this.#readers) {
      this.#fileAt = () => reader.fileAt
      some = Math.min(some, await reader.fill(some))
    }
    return some
  }

  #take(): GroupRow {
    this.#refusal = undefined
    const values = this.#valuesOf()
    const refusal = this.#refusal as Refusal | undefined
    if (refusal === undefined) return { values, row: this.#make(values), reason: '' }
    return { values, row: undefined, reason: `column ${this.#refusedColumn}: ${refusal.reason}` }
  }

  #valuesOf(): unknown[] {
    const values: unknown[] = []
    for (let place = 0; place < this.#flat.length; place += 1) {
      const column = this.#flat[place]
      if (column === undefined) {
        values.push((this.#takers[place] as TakeValue)())
        continue
      }
      const value = column.values[column.at]
      column.at += 1
      if (value instanceof Refusal) this.#refuse(value, this.#names[place] as string)
      values.push(value)
    }
    return values
  }

  #refuse(refusal: Refusal, column: string): void {
    if (this.#refusal !== undefined) return
    this.#refusal = refusal
    this.#refusedColumn = column
  }

  #checkEnd(): void {
    if (this.#done < this.#group.rows) return
    for (const reader of this.#readers) {
      if (!reader.isAtEnd) throw new Damage(`column ${reader.leaf.path.join('.')} continues after the last row`)
    }
  }
}

/** Checks that a column of a row group matches the schema, and lies within the file. */
function check(
  chunk: ColumnChunk,
  leaf: { path: readonly string[]; repeats: number; element: { type: number | undefined } },
  group: RowGroup,
  footerAt: number,
): void {
  const name = leaf.path.join('.')
  if (chunk.path.length !== leaf.path.length || chunk.path.some((step, at) => step !== leaf.path[at])) {
    throw new Damage(`column ${name} of the schema is ${chunk.path.join('.')} in a row group`)
  }
  if (chunk.type !== leaf.element.type) throw new Damage(`column ${name} has another type in a row group`)
  if (chunk.from < 4 || chunk.bytes > footerAt - chunk.from) throw new Damage(`column ${name} is outside the file`)
  if (leaf.repeats === 0 ? chunk.values !== group.rows : chunk.values < group.rows) {
    throw new Damage(`column ${name} has ${chunk.values} values according to the footer, for ${group.rows} rows`)
  }
}

// The writer of a SQLite sink: rows, dead letters and checkpoint in one transaction an epoch.

import type { Batch } from '../../batch.ts'
import type { Columns } from '../../column.ts'
import type { DeadLetter } from '../../origin.ts'
import type { Checkpoint, KeptLetter, SinkWriter } from '../../sink.ts'
import type { SchemaMode } from '../../sql/evolve.ts'
import { refuseAll } from '../../sql/row.ts'
import { type Shape, shapeOf, shapeOfRows } from '../../sql/shape.ts'
import { RowWriter, STEP } from './rows.ts'
import { RULES } from './rules.ts'
import { SqliteStore, type StoreOptions } from './store.ts'

export interface WriterOptions extends StoreOptions {
  readonly key: readonly string[] | undefined
  readonly columns: Columns | undefined
  readonly mode?: SchemaMode | undefined
  readonly onNote?: ((note: string) => void) | undefined
}

/** Rows go into the transaction that the checkpoint is committed with. */
export class SqliteWriter<Row> implements SinkWriter<Row> {
  readonly #store: SqliteStore
  readonly #options: WriterOptions
  /** Undefined until the columns are known and the table is there. */
  #rows: RowWriter | undefined

  private constructor(store: SqliteStore, options: WriterOptions) {
    this.#store = store
    this.#options = options
  }

  /** Opens the database, goes to where the last commit left it, and makes the tables that are known. */
  static async open<Row>(options: WriterOptions): Promise<SqliteWriter<Row>> {
    const store = await SqliteStore.open(options)
    const writer = new SqliteWriter<Row>(store, options)
    try {
      await writer.#makeTables()
      return writer
    } catch (error) {
      await store.close()
      throw error
    }
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#store.checkpoint
  }

  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]> {
    return this.#store.inTransaction('write to', () => this.#write(rows))
  }

  bury(letters: readonly DeadLetter[]): void | Promise<void> {
    return this.#store.bury(letters)
  }

  exhume(letters: readonly KeptLetter[]): void | Promise<void> {
    return this.#store.exhume(letters)
  }

  commit(checkpoint: Checkpoint): void | Promise<void> {
    return this.#store.commit(checkpoint)
  }

  renew(): void {
    this.#store.renew()
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #makeTables(): void | Promise<void> {
    const { columns, table, key } = this.#options
    const shape = columns === undefined ? undefined : shapeOf(table, columns, key, RULES)
    return this.#store.makeTables(() => {
      if (shape !== undefined) this.#rows = this.#makeRows(shape)
    })
  }

  #write(rows: Batch<Row>): readonly DeadLetter[] {
    if (this.#rows === undefined) {
      const shape = shapeOfRows(this.#options.table, rows.values(), this.#options.key, RULES)
      if (shape === undefined) return refuseAll(rows, STEP)
      this.#rows = this.#makeRows(shape)
    }
    return this.#rows.write(rows)
  }

  #makeRows(shape: Shape): RowWriter {
    const { path, mode, onNote } = this.#options
    return new RowWriter(this.#store.database, { path, mode, onNote }, shape)
  }
}

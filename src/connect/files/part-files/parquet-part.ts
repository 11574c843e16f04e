// The encoder of one Parquet part: its rows are held until it is finished.

import type { ParquetEncoder } from '../../formats/parquet/write.ts'
import type { RowReader } from './columns.ts'
import type { PartEncoder } from './encoder.ts'

/** A Parquet file is written from its end: nothing of it is ready earlier. */
export class ParquetPart implements PartEncoder {
  readonly #reader: RowReader
  readonly #encoder: ParquetEncoder
  #heldBytes = 0

  constructor(reader: RowReader, encoder: ParquetEncoder) {
    this.#reader = reader
    this.#encoder = encoder
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  add(row: unknown): void {
    this.#heldBytes += this.#encoder.add(this.#reader.read(row))
  }

  drain(): undefined {
    return undefined
  }

  async finish(): Promise<Uint8Array> {
    return this.#encoder.finish()
  }
}

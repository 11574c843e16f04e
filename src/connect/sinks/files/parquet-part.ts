// The encoder of one Parquet part: its rows are held until it is finished.

import type { ParquetEncoder } from '../../parquet/write.ts'
import type { RowReader } from './columns.ts'
import type { PartEncoder } from './encoder.ts'

/** What a value other than text costs in memory, about. */
const VALUE_BYTES = 16

/** A Parquet file is written from its end: nothing of it is ready before. */
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
    const values = this.#reader.read(row)
    this.#encoder.add([Object.fromEntries(this.#reader.names.map((name, at) => [name, values[at]]))])
    for (const value of values) this.#heldBytes += VALUE_BYTES + sizeOf(value)
  }

  drain(): undefined {
    return undefined
  }

  async finish(): Promise<Uint8Array> {
    return await this.#encoder.finish()
  }
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  return typeof value === 'object' && value !== null ? JSON.stringify(value).length : 0
}

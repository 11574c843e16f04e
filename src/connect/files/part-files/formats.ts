// The formats of part files: NDJSON, CSV, Parquet.

import type { Columns } from '../../column.ts'
import { csvLine } from '../../formats/csv/write.ts'
import { type ParquetEncoder, parquetEncoder } from '../../formats/parquet/write.ts'
import { jsonText } from '../../kits/json/line.ts'
import { RowReader } from './columns.ts'
import { type Compression, ENDINGS, LineEncoder, type PartEncoder, type PartFormat } from './encoder.ts'

export function ndjsonFormat(compression: Compression): PartFormat {
  return {
    kind: 'ndjson-files',
    name: 'NDJSON files',
    ending: `.ndjson${ENDINGS[compression]}`,
    hasColumns: false,
    prepare: async () => () => new LineEncoder((row) => `${jsonText(row)}\n`, compression),
  }
}

export interface CsvFormatOptions {
  readonly compression: Compression
  readonly delimiter: string
  readonly spreadsheetSafe: boolean
  readonly header: boolean
}

export function csvFormat({ compression, header, ...line }: CsvFormatOptions): PartFormat {
  return {
    kind: 'csv-files',
    name: 'CSV files',
    ending: `.csv${ENDINGS[compression]}`,
    hasColumns: true,
    prepare: async (columns, areInferred) => {
      const reader = new RowReader(columns, areInferred ? 'found-names' : 'named')
      const toCell = areInferred ? cellOf : cellsOf(columns)
      const lineOf = (row: unknown) => csvLine(reader.read(row).map(toCell), line)
      const head = header ? csvLine(reader.names, line) : ''
      return () => new LineEncoder(lineOf, compression, head)
    },
  }
}

/** If only names were inferred, each value is written by its own type. */
function cellOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !(value instanceof Date) ? jsonText(value) : value
}

/** Times are written as people and spreadsheets read them, JSON as JSON; everything else as it is. */
function cellsOf(columns: Columns): (value: unknown, at: number) => unknown {
  const types = Object.values(columns)
  return (value, at) => {
    if (value === null) return null
    if (types[at] === 'time') return value instanceof Date ? value : new Date(value as number)
    return types[at] === 'json' ? jsonText(value) : value
  }
}

export function parquetFormat(scales: Readonly<Record<string, number>> = {}): PartFormat {
  return {
    kind: 'parquet-files',
    name: 'Parquet files',
    ending: '.parquet',
    hasColumns: true,
    findsFloats: true,
    prepare: async (columns, areInferred) => {
      const reader = new RowReader(columns, areInferred ? 'found' : 'named')
      // Whether the package is installed is known before the first row.
      await parquetEncoder(columns, scales)
      return async () => new ParquetPart(reader, await parquetEncoder(columns, scales))
    },
  }
}

/** A Parquet file is written from its end: nothing of it is ready earlier. */
class ParquetPart implements PartEncoder {
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

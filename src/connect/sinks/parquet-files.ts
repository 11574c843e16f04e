// The sink for files of Parquet.

import { checkKeys } from '../../base/check.ts'
import type { Columns } from '../column.ts'
import type { Sink } from '../sink.ts'
import { parquetFormat } from './files/formats.ts'
import { FILE_SINK_OPTIONS, type FileSinkOptions, fileSink } from './files/sink.ts'

export interface ParquetFilesOptions<Row> extends FileSinkOptions<Row> {
  /** The columns, in their order, where they are not those of the source. */
  readonly columns?: Columns
}

/** Rows of a part are held in memory until it ends. */
const ROLL = { rollRows: 100_000, rollBytes: 32 * 1024 * 1024 }

/**
 * Writes rows as Parquet into files of a folder: committed, named and listed as those of {@link ndjsonFiles}, with
 * columns as {@link csvFiles} finds them.
 *
 * The rows of a part are held in memory until it is ended: `roll` is 100,000 rows or 32 MiB of values by default, and
 * all open parts together hold no more than 128 MiB. It needs the package hyparquet-writer.
 *
 * @throws as {@link ndjsonFiles}; when it is opened, or with the first rows, CONFIG_INVALID if hyparquet-writer is not
 *   installed
 * @example
 * parquetFiles('out', { roll: { rows: 10_000 } }).title // => 'Parquet files in out'
 */
export function parquetFiles<Row>(folder: string, options: ParquetFilesOptions<Row> = {}): Sink<Row> {
  checkKeys('parquetFiles', options, [...FILE_SINK_OPTIONS, 'columns'])
  return fileSink(folder, parquetFormat(), options, ROLL)
}

// The sink for Parquet files.

import { checkInteger, checkKeys } from '../../../base/check.ts'
import type { Columns } from '../../column.ts'
import type { Sink } from '../../sink.ts'
import { parquetFormat } from './formats.ts'
import { FILE_SINK_OPTIONS, type FileSinkOptions, fileSink } from './sink.ts'

export interface ParquetSinkOptions<Row> extends FileSinkOptions<Row> {
  /** The columns, in their order, if they are not those of the source. */
  readonly columns?: Columns
  /** Digits after the point of `decimal` columns, by name: 9 by default, of 38 in total. */
  readonly scales?: Readonly<Record<string, number>>
}

/** Rows of a part are held in memory until it ends. */
const ROLL = { rollRows: 100_000, rollBytes: 32 * 1024 * 1024 }

/**
 * Writes rows as Parquet into files of a folder: committed, named and listed as those of {@link ndjsonSink}, with
 * columns as {@link csvSink} infers them, but with types: inferred numbers are DOUBLE, even if the first values are
 * whole, unless there are bigints among them. Name the columns for other types.
 *
 * Types in the file: `text` STRING, `integer` INT64, `real` DOUBLE, `decimal` DECIMAL(38, 9) or with the scale in
 * `scales`, `boolean` BOOLEAN, `time` TIMESTAMP of milliseconds in UTC, `json` JSON, `bytes` BYTE_ARRAY. A decimal with
 * more digits is rejected.
 *
 * The rows of a part are held in memory until it is ended: `roll` is 100,000 rows or 32 MiB of values by default, and
 * all open parts together hold no more than 128 MiB. It needs the package hyparquet-writer.
 *
 * @throws as {@link ndjsonSink}; when it is opened, or with the first rows, CONFIG_INVALID if hyparquet-writer is not
 *   installed
 * @example
 * parquetSink('out', { roll: { rows: 10_000 } }).title // => 'Parquet files in out'
 */
export function parquetSink<Row>(folder: string, options: ParquetSinkOptions<Row> = {}): Sink<Row> {
  checkKeys('parquetSink', options, [...FILE_SINK_OPTIONS, 'columns', 'scales'])
  const { scales = {} } = options
  for (const [name, scale] of Object.entries(scales)) checkInteger(`The scale of column ${name}`, scale, 0, 38)
  return fileSink(folder, parquetFormat(scales), options, ROLL)
}

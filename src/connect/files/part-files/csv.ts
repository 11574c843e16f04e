// The sink for CSV files.

import { checkChoice, checkKeys } from '../../../base/check.ts'
import type { Columns } from '../../column.ts'
import { csvLine } from '../../formats/csv/write.ts'
import type { Sink } from '../../sink.ts'
import { type Compression, ENDINGS } from './encoder.ts'
import { csvFormat } from './formats.ts'
import { FILE_SINK_OPTIONS, type FileSinkOptions, fileSink } from './sink.ts'

export interface CsvSinkOptions<Row> extends FileSinkOptions<Row> {
  /** `none` by default. */
  readonly compression?: Compression
  /** The columns, in their order, if they are not those of the source. */
  readonly columns?: Columns
  /** The field separator: one ASCII character, `,` by default. */
  readonly delimiter?: string
  /** Whether the first line of every file names the columns: true by default. */
  readonly header?: boolean
  /** Whether texts that a spreadsheet would take for formulas are prefixed with `'`. False by default. */
  readonly spreadsheetSafe?: boolean
}

/**
 * Writes rows as CSV into files of a folder: committed, named and listed as those of {@link ndjsonSink}.
 *
 * - **Columns** are those of `columns`, else the source's if the flow keeps its rows, else inferred from the first
 *   rows, once and for all runs. Named columns ignore the rest of a row; inferred ones are all that a later row may
 *   have, by name: each value is written by its own type.
 * - **Values**: times are written as ISO 8601, `json` values as JSON, null as nothing, the empty text as `""`.
 * - **Rejects** a row that is not an object, or has a value that does not fit its column's type.
 *
 * @throws as {@link ndjsonSink}
 * @example
 * csvSink('out', { columns: { id: 'integer', name: 'text' }, delimiter: ';' }).title // => 'CSV files in out'
 */
export function csvSink<Row>(folder: string, options: CsvSinkOptions<Row> = {}): Sink<Row> {
  const own = ['compression', 'columns', 'delimiter', 'header', 'spreadsheetSafe']
  checkKeys('csvSink', options, [...FILE_SINK_OPTIONS, ...own])
  const { compression = 'none', delimiter = ',', header = true, spreadsheetSafe = false } = options
  checkChoice('compression', compression, Object.keys(ENDINGS))
  csvLine([], { delimiter })
  const never = { rollRows: Number.POSITIVE_INFINITY, rollBytes: Number.POSITIVE_INFINITY }
  return fileSink(folder, csvFormat({ compression, delimiter, header, spreadsheetSafe }), options, never)
}

// The sink for NDJSON files: one JSON value per line.

import { checkChoice, checkKeys } from '../../../base/check.ts'
import type { Sink } from '../../sink.ts'
import { type Compression, ENDINGS } from './encoder.ts'
import { ndjsonFormat } from './formats.ts'
import { FILE_SINK_OPTIONS, type FileSinkOptions, fileSink } from './sink.ts'

export interface NdjsonSinkOptions<Row> extends FileSinkOptions<Row> {
  /** `none` by default. */
  readonly compression?: Compression
}

/**
 * Writes events as lines of JSON into files of a folder.
 *
 * - **Commits** each epoch as separate files, `<pipeline>-<epoch>-<number>.ndjson`. They are written in a hidden folder
 *   beside, made durable, committed with the checkpoint, and then renamed to their visible place: a visible file is
 *   complete, and holds what no other holds, whatever ended the process.
 * - **Manifest**: files named `_manifest-<pipeline>-<epoch>.json` list the files that count, with rows, bytes and epoch
 *   of each. An epoch is added to it at once; a reader that follows it never sees half of one.
 * - **Parts**: `roll` ends a file within its epoch, `partitionBy` divides rows among folders. A file never holds rows
 *   of several epochs: rare commits mean few files.
 * - **Rejects** what JSON would change: NaN, infinities, maps, buffers, what is nested over 100 deep. A bigint is
 *   written as a number.
 * - **A full or failing disk** stops the run with STORAGE_FAILED; what was committed stays.
 *
 * @param folder - created if it is missing; existing files are left alone
 * @throws {SluiceError} CONFIG_INVALID for an invalid path; when it is opened, SINK_MISMATCH for a folder that holds
 *   parts of this pipeline that its checkpoint does not know
 * @example
 * const sink = ndjsonSink('out', { compression: 'zstd', partitionBy: (row: { day: string }) => row.day })
 * sink.title // => 'NDJSON files in out'
 * sink.guarantee // => 'exactly-once'
 */
export function ndjsonSink<Row>(folder: string, options: NdjsonSinkOptions<Row> = {}): Sink<Row> {
  checkKeys('ndjsonSink', options, [...FILE_SINK_OPTIONS, 'compression'])
  const { compression = 'none' } = options
  checkChoice('compression', compression, Object.keys(ENDINGS))
  const never = { rollRows: Number.POSITIVE_INFINITY, rollBytes: Number.POSITIVE_INFINITY }
  return fileSink(folder, ndjsonFormat(compression), options, never)
}

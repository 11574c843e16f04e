// The sink for files of NDJSON: one value a line.

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
 * - **Commits** each epoch as files of its own, `<pipeline>-<epoch>-<number>.ndjson`. They are written in a hidden
 *   folder beside, made durable, committed with the checkpoint, and then renamed to where they are seen: a file that is
 *   there is whole, and holds what no other holds, whatever ended the process.
 * - **Manifest**: files named `_manifest-<pipeline>-<epoch>.json` say which files count, with rows, bytes and epoch of
 *   each. An epoch gets onto it at once; who goes by it never sees half of one.
 * - **Parts**: `roll` ends a file within its epoch, `partitionBy` shares rows out among folders. A file never holds
 *   rows of several epochs: seldom committed means few files.
 * - **Refuses** what JSON would change: NaN, infinities, maps, buffers, what is nested over 100 deep. A bigint is
 *   written as the number that it is.
 * - **A disk that is full**, or fails, stops the run with STORAGE_FAILED; what was committed stays.
 *
 * @param folder - made if it is missing; what is in it already is left alone
 * @throws {SluiceError} CONFIG_INVALID for a path that cannot be used; when it is opened, SINK_MISMATCH for a folder
 *   that holds parts of this pipeline which its checkpoint knows nothing of
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

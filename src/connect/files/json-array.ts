// The source of JSON arrays: the elements of a file of any size, one after the other.

import { describeValue } from '../../base/check.ts'
import { anything, checkOptions } from '../../base/options.ts'
import { json } from '../formats/json/format.ts'
import { elementRecords } from '../formats/json/records.ts'
import { MAX_RECORD_BYTES } from '../kits/files/records/record-cutter.ts'
import { JSON_OPTIONS, type JsonOptions, jsonOptions } from '../kits/json/parser.ts'
import type { Source } from '../source.ts'
import { READ_FILES_OPTIONS, RECORD_BYTES, type ReadFilesOptions, readFilesOptions, recordFiles } from './source.ts'

export interface JsonArraySourceOptions extends JsonOptions, Omit<ReadFilesOptions, 'splitBytes'> {
  /**
   * Keys from the outermost value to the array, as an array of texts or as one text with dots: `data.items`. By default
   * the outermost value is the array.
   */
  readonly path?: string | readonly string[]
  /** Longest element in bytes; a longer one becomes a dead letter. 1 MiB by default. */
  readonly maxRecordBytes?: number
}

const { splitBytes: _none, ...READING } = READ_FILES_OPTIONS
const OPTIONS = { path: anything, maxRecordBytes: RECORD_BYTES, ...JSON_OPTIONS, ...READING }

/**
 * The elements of JSON arrays in files, each parsed by itself as by {@link json}: memory is bounded by
 * `maxRecordBytes`, however large a file is. Names, compression and limits are those of {@link fileSource}.
 *
 * - **Dead letters**: an element that is not valid JSON, or over a limit; there always is one between two commas.
 * - **Fails** if elements cannot be told apart: the text is not an array, something follows it, or it ends before the
 *   array does. Elements before that were emitted; once the file is complete, a later run continues after the last of
 *   them.
 * - **With `path`**, what precedes the array is skipped, and what follows it is not read.
 * - **Origins** name the line and the offset of an element's first byte.
 *
 * @throws {TypeError | RangeError} for unknown or invalid options
 * @throws {SluiceError} as {@link fileSource}; SOURCE_CORRUPT from a read
 * @example
 * jsonArraySource('export.json', { path: 'data.items' }).title // => 'export.json as json'
 */
export function jsonArraySource<T = unknown>(
  input: string | readonly string[],
  options: JsonArraySourceOptions = {},
): Source<T> {
  checkOptions('jsonArraySource', options, OPTIONS)
  const { path = [], maxRecordBytes, malformed = 'reject' } = options
  const format = json<T>(jsonOptions(options))
  const records = elementRecords({
    format,
    path: keysOf(path),
    maxRecordBytes: maxRecordBytes ?? MAX_RECORD_BYTES,
    malformed,
  })
  return recordFiles(input, { ...readFilesOptions(options), kind: 'json-array', columns: undefined, records })
}

function keysOf(path: unknown): readonly string[] {
  const keys = typeof path === 'string' ? path.split('.') : path
  if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys
  throw new TypeError(`path must be a text or an array of texts: found ${describeValue(path)}`)
}

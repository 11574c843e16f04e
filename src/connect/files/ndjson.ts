// The source of NDJSON: one JSON value in each line of files.

import { checkOptions } from '../../base/options.ts'
import { json } from '../formats/json/format.ts'
import { JSON_OPTIONS, type JsonOptions, jsonOptions } from '../kits/json/parser.ts'
import type { Source } from '../source.ts'
import { FILES_OPTIONS, type FilesOptions, files } from './source.ts'

export interface NdjsonOptions extends JsonOptions, FilesOptions {}

/**
 * The JSON values in the lines of files: {@link files} with the format {@link json}. With `splitBytes`, plain files are
 * cut into ranges.
 *
 * @throws as {@link files} and {@link json}
 * @example
 * ndjson('events/*.ndjson.gz').title // => 'events/*.ndjson.gz as json'
 */
export function ndjson<T = unknown>(input: string | readonly string[], options: NdjsonOptions = {}): Source<T> {
  checkOptions('ndjson', options, { ...JSON_OPTIONS, ...FILES_OPTIONS })
  const others = Object.entries(options).filter(([name]) => !Object.hasOwn(JSON_OPTIONS, name))
  return files(input, json<T>(jsonOptions(options)), Object.fromEntries(others))
}

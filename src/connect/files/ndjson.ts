// The source of NDJSON: one JSON value in each line of files.

import { checkOptions } from '../../base/options.ts'
import { json } from '../formats/json/format.ts'
import { JSON_OPTIONS, type JsonOptions, jsonOptions } from '../kits/json/parser.ts'
import type { Source } from '../source.ts'
import { FILES_OPTIONS, type FileSourceOptions, fileSource } from './source.ts'

export interface NdjsonSourceOptions extends JsonOptions, FileSourceOptions {}

/**
 * The JSON values in the lines of files: {@link fileSource} with the format {@link json}. With `splitBytes`, plain files are
 * cut into ranges.
 *
 * @throws as {@link fileSource} and {@link json}
 * @example
 * ndjsonSource('events/*.ndjson.gz').title // => 'events/*.ndjson.gz as json'
 */
export function ndjsonSource<T = unknown>(
  input: string | readonly string[],
  options: NdjsonSourceOptions = {},
): Source<T> {
  checkOptions('ndjsonSource', options, { ...JSON_OPTIONS, ...FILES_OPTIONS })
  const others = Object.entries(options).filter(([name]) => !Object.hasOwn(JSON_OPTIONS, name))
  return fileSource(input, json<T>(jsonOptions(options)), Object.fromEntries(others))
}

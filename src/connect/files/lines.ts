// The source of text: the lines of files as they stand.

import { checkOptions } from '../../base/options.ts'
import { textLines } from '../formats/text.ts'
import type { Source } from '../source.ts'
import { FILES_OPTIONS, type FileSourceOptions, fileSource } from './source.ts'

/** Large enough that a range is worth opening, small enough that all threads have one until the end. */
const SPLIT_BYTES = 4 * 1024 * 1024

/**
 * The lines of files, as {@link fileSource} reads them; plain files are cut into ranges of 4 MiB unless `splitBytes` says
 * otherwise, so that a flow on several threads reads them side by side.
 *
 * @throws as {@link fileSource}
 * @example
 * lines('book.txt').title // => 'book.txt as lines'
 */
export function lines(input: string | readonly string[], options: FileSourceOptions = {}): Source<string> {
  checkOptions('lines', options, FILES_OPTIONS)
  return fileSource(input, textLines(), { splitBytes: SPLIT_BYTES, ...options })
}

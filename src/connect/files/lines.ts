// The source of text: the lines of files as they are.

import { checkOptions, trueOrFalse } from '../../base/options.ts'
import { type TextLinesOptions, type TextRow, textLines } from '../formats/text.ts'
import type { Source } from '../source.ts'
import { FILES_OPTIONS, type FileSourceOptions, fileSource } from './source.ts'

/** Large enough that a range is worth opening, small enough that all threads have one until the end. */
const SPLIT_BYTES = 4 * 1024 * 1024

/**
 * The lines of files, as {@link fileSource} reads them, each as a string, or with `rows` as a row `{ text }`; plain
 * files are cut into ranges of 4 MiB unless `splitBytes` says otherwise, so that a flow on several threads reads them
 * in parallel.
 *
 * @throws as {@link fileSource}
 * @example
 * lines('book.txt').title // => 'book.txt as lines'
 */
export function lines(
  input: string | readonly string[],
  options?: FileSourceOptions & TextLinesOptions & { readonly rows?: false },
): Source<string>
export function lines(
  input: string | readonly string[],
  options: FileSourceOptions & TextLinesOptions & { readonly rows: true },
): Source<TextRow>
export function lines(
  input: string | readonly string[],
  { rows = false, ...options }: FileSourceOptions & TextLinesOptions = {},
): Source<string> | Source<TextRow> {
  checkOptions('lines', { rows, ...options }, { ...FILES_OPTIONS, rows: trueOrFalse })
  const format = rows ? textLines({ rows }) : textLines()
  return fileSource<unknown>(input, format, { splitBytes: SPLIT_BYTES, ...options }) as Source<string> | Source<TextRow>
}

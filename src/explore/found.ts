// What was found behind the name of a source: how it is read, and the code that reads it.

import type { Source } from '../connect/source.ts'
import type { Piece } from '../scaffold/code.ts'

export interface Found {
  /** What it is, for people: `CSV, delimiter ;, gzip`. */
  readonly words: string
  /** What is read to look at it. */
  readonly source: Source<unknown>
  /** What a pipeline reads; the type of its rows is `Row`, if `hasRowType`. */
  readonly code: Piece
  /** Whether the code names a type of rows, which is made of what the rows are. */
  readonly hasRowType: boolean
  /** Of JSON, the keys down to the array that is read. */
  readonly jsonPath?: readonly string[]
  /** The name of the pipeline and its table. */
  readonly name: string
  /** How large it is, in bytes. */
  readonly sizeBytes: number | undefined
  /** The share of it that `source` is of, if that is not all: the beginning of a large compressed file. */
  readonly share?: number
  /** How many rows there are, if that is known without reading them: exactly, or about as many. */
  readonly countRows?: (looking: Looking) => Promise<{ readonly rows: number; readonly isExact: boolean } | undefined>
  /** What a person should know, a line each: files that were left out, an encoding. */
  readonly notes: readonly string[]
  /** How a path in messages is called: what was downloaded is in a file that nobody knows. */
  readonly shownAs?: { readonly path: string; readonly name: string }
  /** The environment variables that the code reads, and their values. */
  readonly env?: Readonly<Record<string, string>>
  /** What has to be done before the code can run: a file is downloaded. */
  readonly prepare?: (signal?: AbortSignal) => Promise<string | undefined>
}

export interface Looking {
  /** When what the source is must be known, in milliseconds of the system clock, and a signal of the same time. */
  readonly untilMs: number
  readonly signal: AbortSignal
  /** A folder for what has to be copied: it is removed afterwards. */
  readonly folder: string
}

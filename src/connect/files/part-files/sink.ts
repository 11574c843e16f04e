// Makes sinks of part files: options that all formats share, checked, and the store beside the files.

import { resolve } from 'node:path'
import { checkChoice, checkFunctions, checkInteger, checkKeys } from '../../../base/check.ts'
import { integerOrNone } from '../../../base/options.ts'
import { checkpointed } from '../../checkpointed/sink.ts'
import { COLUMN_TYPES, type Columns } from '../../column.ts'
import { isPath, optionInvalid } from '../../kits/config.ts'
import { makeRoot } from '../../kits/files/disk.ts'
import type { Sink, TwoPhaseSink } from '../../sink.ts'
import type { PartFormat } from './encoder.ts'
import type { FilesWriterOptions } from './writer.ts'

/** Options of all file sinks. */
export interface FileSinkOptions<Row> {
  /**
   * Returns the partition of a row: its files are in a folder of that name. Any text will do: it is escaped for names.
   * All in one folder by default.
   */
  readonly partitionBy?: (row: Row) => string
  /** When a part is ended within an epoch: after this many `rows`, or `bytes`. */
  readonly roll?: { readonly rows?: number; readonly bytes?: number }
  /** The most parts written at the same time: before one more is started, the oldest is ended. 64 by default. */
  readonly maxOpenParts?: number
  /** The most parts in one epoch; a run that needs more fails. 10,000 by default. */
  readonly maxParts?: number
  /** The mode of finished files, 0o644 by default; unfinished ones are readable by their owner only. */
  readonly mode?: number
  /** The SQLite file with checkpoints and dead letters: `.sluice.db` in the folder by default. */
  readonly store?: string
  /** The table of the store for dead letters: `dead_letters` by default. */
  readonly deadLetters?: string
}

export const FILE_SINK_OPTIONS: readonly string[] = [
  'partitionBy',
  'roll',
  'maxOpenParts',
  'maxParts',
  'mode',
  'store',
  'deadLetters',
]

/** The defaults of a format. */
export interface FileSinkDefaults {
  readonly rollRows: number
  readonly rollBytes: number
}

/** A sink of part files in `folder`, with its checkpoints beside them. */
export function fileSink<Row>(
  folder: string,
  format: PartFormat,
  options: FileSinkOptions<Row> & { readonly columns?: Columns },
  defaults: FileSinkDefaults,
): Sink<Row> {
  const plain = plainFileSink(folder, format, options, defaults)
  const { store = `${folder.replace(/\/+$/, '')}/.sluice.db`, deadLetters } = options
  const sink = checkpointed(plain, { store, ...(deadLetters === undefined ? {} : { deadLetters }) })
  return {
    ...sink,
    open: async (opening) => {
      // Its store may be in it.
      await makeRoot(resolve(folder))
      return await sink.open(opening)
    },
  }
}

/** The same without checkpoints. */
export function plainFileSink<Row>(
  folder: string,
  format: PartFormat,
  options: FileSinkOptions<Row> & { readonly columns?: Columns },
  defaults: FileSinkDefaults,
): TwoPhaseSink<Row> {
  if (!isPath(folder)) throw optionInvalid(format.kind, 'folder', folder, 'the path of a folder')
  const settings = settingsOf(folder, format, options, defaults)
  return {
    kind: format.kind,
    title: `${format.name} in ${folder}`,
    guarantee: 'exactly-once',
    open: async (opening) => {
      const { FilesWriter } = await import('./writer.ts')
      await makeRoot(settings.root)
      return await FilesWriter.open<Row>(settings, opening)
    },
  }
}

function settingsOf<Row>(
  folder: string,
  format: PartFormat,
  options: FileSinkOptions<Row> & { readonly columns?: Columns },
  defaults: FileSinkDefaults,
): FilesWriterOptions {
  const { partitionBy, roll = {}, maxOpenParts = 64, maxParts = 10_000, mode = 0o644, columns } = options
  checkKeys(`roll of ${format.kind}`, roll, ['rows', 'bytes'])
  const { rows = defaults.rollRows, bytes = defaults.rollBytes } = roll
  for (const [name, most] of Object.entries({ rows, bytes })) integerOrNone(1)(`roll.${name}`, most)
  checkInteger('maxOpenParts', maxOpenParts, 1, 10_000)
  checkInteger('maxParts', maxParts, 1, 1_000_000)
  checkInteger('mode', mode, 0, 0o777)
  checkFunctions({ partitionBy })
  for (const [name, type] of Object.entries(columns ?? {}))
    checkChoice(`The type of column ${name}`, type, COLUMN_TYPES)
  if (columns !== undefined && Object.keys(columns).length === 0) {
    throw optionInvalid(format.kind, 'columns', columns, 'one column or more')
  }
  return {
    root: resolve(folder),
    format,
    columns,
    partitionBy: partitionBy as FilesWriterOptions['partitionBy'],
    rollRows: rows,
    rollBytes: bytes,
    maxOpenParts,
    maxParts,
    mode,
  }
}

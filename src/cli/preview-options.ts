// Options of the commands preview and dev.

import { readCount } from './admin-options.ts'
import { FILE_OPTIONS, type FileOptions, fileOptions, parse } from './options.ts'

export interface PreviewOptions extends FileOptions {
  readonly json: boolean
  /** The only step to show. */
  readonly step: number | undefined
  /** How many rows are shown of each step. */
  readonly rows: number
  /** How many records are read of each source. */
  readonly records: number
}

const FLAGS = { step: { type: 'string' }, rows: { type: 'string' }, records: { type: 'string' } } as const

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readPreviewOptions(command: 'preview' | 'dev', argv: readonly string[]): PreviewOptions {
  const flags = { ...FILE_OPTIONS, ...FLAGS, ...(command === 'preview' ? { json: { type: 'boolean' } as const } : {}) }
  const { values, positionals } = parse(command, argv, flags)
  const { step, rows = '5', records = '1000' } = values
  return {
    ...fileOptions(command, positionals, values),
    json: (values as { readonly json?: boolean }).json ?? false,
    step: step === undefined ? undefined : readCount('--step', step),
    rows: readCount('--rows', rows),
    records: readCount('--records', records),
  }
}

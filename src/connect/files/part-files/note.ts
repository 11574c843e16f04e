// What the checkpoint stores of the last epoch of files: which parts to make visible.

import { SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import type { Json } from '../../source.ts'
import type { FinishedPart } from './part.ts'

export type FilesNote = {
  readonly epoch: number
  readonly parts: readonly FinishedPart[]
  /** The columns that were inferred from rows: later runs write the same. */
  readonly columns?: Columns
}

/**
 * Reads a note from a checkpoint.
 *
 * @param isTemp - whether a text can be the name of an unfinished part: nothing else is ever renamed
 * @throws {SluiceError} CHECKPOINT_INVALID if it is of another sink, or damaged
 */
export function parseNote(pipeline: string, note: Json, isTemp: (name: string) => boolean): FilesNote {
  const { epoch, parts } = (note ?? {}) as Partial<FilesNote>
  const isPart = (part: Partial<FinishedPart> | null): boolean =>
    typeof part?.temp === 'string' && isTemp(part.temp) && typeof part.path === 'string' && isBelow(part.path)
  if (Number.isSafeInteger(epoch) && Array.isArray(parts) && parts.every(isPart)) return note as FilesNote
  const found = `the note of the sink is not about files: ${JSON.stringify(note).slice(0, 60)}`
  const message = `Cannot continue from the checkpoint of ${pipeline}: ${found} (is it of another kind of sink?)`
  throw new SluiceError('CHECKPOINT_INVALID', message, { pipeline, found })
}

/** A file, or a file in a folder; no parent folders, and nothing hidden. */
function isBelow(path: string): boolean {
  const steps = path.split('/')
  return steps.length <= 2 && steps.every((step) => /^[^.\0\\][^\0\\]*$/.test(step))
}

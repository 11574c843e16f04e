// Errors of Parquet files, which name the file, the byte and what was found.

import { SluiceError } from '../../../base/errors.ts'
import { quotePath } from '../../kits/files/errors.ts'

/** Invalid bytes: thrown where they are found; file and place are added further up. */
export class Damage extends Error {}

/** A file needs more memory than allowed. Becomes an error that names the option. */
export class OverLimit extends Error {
  readonly found: number

  constructor(message: string, found: number) {
    super(message)
    this.found = found
  }
}

/** A `RangeError` from reading past the end of the bytes is damage, like any {@link Damage}. */
export function isDamage(thrown: unknown): thrown is Error {
  return thrown instanceof Damage || thrown instanceof RangeError
}

/** The error for a file that cannot be read further. */
export function corruptParquet(path: string, offset: number, found: string, cause?: unknown): SluiceError {
  const message = `Cannot read ${quotePath(path)} as Parquet: ${found} (at byte ${offset})`
  return new SluiceError('SOURCE_CORRUPT', message, { source: path, offset, found }, { cause })
}

/** The error for a file that would take more memory than `maxHeldBytes`. */
export function overLimit(path: string, limit: number, { message: found, found: bytes }: OverLimit): SluiceError {
  const message = `Cannot read ${quotePath(path)} as Parquet: ${found} (name fewer columns, or raise maxHeldBytes)`
  return new SluiceError('SOURCE_LIMIT', message, { source: path, limit, found: bytes })
}

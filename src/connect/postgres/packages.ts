// The client of PostgreSQL: packages that only who uses a database needs, loaded when the first one is opened.

import type pg from 'pg'
import type Cursor from 'pg-cursor'
import { messageOf, SluiceError } from '../../base/errors.ts'

/** @throws {SluiceError} CONFIG_INVALID if it is not installed */
export async function loadClient(): Promise<typeof pg> {
  try {
    return (await import('pg')).default
  } catch (error) {
    throw missing(['pg'], error)
  }
}

/** @throws {SluiceError} CONFIG_INVALID if it is not installed */
export async function loadCursor(): Promise<typeof Cursor> {
  try {
    return (await import('pg-cursor')).default
  } catch (error) {
    throw missing(['pg', 'pg-cursor'], error)
  }
}

function missing(packages: readonly string[], cause: unknown): SluiceError<'CONFIG_INVALID'> {
  const allowed = `npm install ${packages.join(' ')}`
  const found = messageOf(cause).split('\n', 1)[0] ?? ''
  const message = `Cannot load the client of PostgreSQL: run "${allowed}" (${found})`
  return new SluiceError(
    'CONFIG_INVALID',
    message,
    { key: packages.at(-1) ?? 'pg', value: undefined, allowed },
    { cause },
  )
}

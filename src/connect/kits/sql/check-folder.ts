// Checks whether a path can be a database file.

import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errnoOf, SluiceError } from '../../../base/errors.ts'

/**
 * @throws {SluiceError} STORAGE_FAILED if it cannot
 */
export function checkFolder(path: string): void {
  const folder = dirname(resolve(path))
  if (kindOf(path, folder) !== 'folder') throw unusable(path, 'ENOENT', `there is no folder ${JSON.stringify(folder)}`)
  if (kindOf(path, resolve(path)) === 'folder') throw unusable(path, 'EISDIR', 'it is a folder')
}

/** What exists at `at`, the database's `path` or its folder. */
function kindOf(path: string, at: string): 'folder' | 'other' | undefined {
  try {
    const stats = statSync(at, { throwIfNoEntry: false })
    return stats === undefined ? undefined : stats.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    const errno = errnoOf(error)
    const words = errno === 'EACCES' ? 'permission denied' : 'the system does not say what is there'
    throw unusable(path, errno, words, error)
  }
}

function unusable(path: string, errno: string, found: string, cause?: unknown): SluiceError<'STORAGE_FAILED'> {
  const message = `Cannot open ${JSON.stringify(path)}: ${found} (${errno})`
  return new SluiceError('STORAGE_FAILED', message, { path, errno }, { cause })
}

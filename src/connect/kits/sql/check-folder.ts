// Checks whether a path can be a database file.

import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errnoOf } from '../../../base/errors.ts'
import { storageFailed } from '../files/disk.ts'

/**
 * @throws {SluiceError} STORAGE_FAILED if it cannot
 */
export function checkFolder(path: string): void {
  const folder = dirname(resolve(path))
  if (kindOf(path, folder) !== 'folder')
    throw storageFailed('open', path, 'ENOENT', `there is no folder ${JSON.stringify(folder)}`)
  if (kindOf(path, resolve(path)) === 'folder') throw storageFailed('open', path, 'EISDIR', 'it is a folder')
}

/** What exists at `at`, the database's `path` or its folder. */
function kindOf(path: string, at: string): 'folder' | 'other' | undefined {
  try {
    const stats = statSync(at, { throwIfNoEntry: false })
    return stats === undefined ? undefined : stats.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    const errno = errnoOf(error)
    const words = errno === 'EACCES' ? 'permission denied' : 'the system does not say what is there'
    throw storageFailed('open', path, errno, words, error)
  }
}

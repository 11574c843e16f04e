// Errors of files, which name the file, the byte and the system's reason.

import { errnoOf, messageOf, SluiceError } from '../../../base/errors.ts'

/** A path as errors show it: quoted, control characters escaped, so that a hostile name stays on its line. */
export function quotePath(path: string): string {
  return JSON.stringify(path)
}

/** The error for a file that could not be opened or read: `thrown` comes from the system. */
export function cannotRead(path: string, offset: number, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown
  const errno = errnoOf(thrown)
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    const message = `Cannot read ${quotePath(path)}: there is no such file (${errno})`
    return new SluiceError('SOURCE_MISSING', message, { source: path }, { cause: thrown })
  }
  const words = WORDS[errno] === undefined ? messageOf(thrown) : `${WORDS[errno]} (${errno})`
  const message = `Cannot read ${quotePath(path)} from byte ${offset}: ${words}`
  return new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset, errno }, { cause: thrown })
}

/**
 * The error for invalid compressed data. The decompressor (its error is `cause`) finds it somewhere after what it has
 * consumed.
 */
export function corrupt(path: string, offset: number, found: string, cause?: unknown): SluiceError<'SOURCE_CORRUPT'> {
  const place = cause === undefined ? 'at' : 'after'
  const message = `Cannot read ${quotePath(path)}: ${found} ${place} byte ${offset} of the compressed file`
  return new SluiceError('SOURCE_CORRUPT', message, { source: path, offset, found }, { cause })
}

/** The error for content that cannot be read any further; what precedes it was returned. */
export function corruptContent(path: string, offset: number, found: string): SluiceError<'SOURCE_CORRUPT'> {
  const message = `Cannot read ${quotePath(path)} from byte ${offset} on: ${found}`
  return new SluiceError('SOURCE_CORRUPT', message, { source: path, offset, found })
}

/** The error for a position that is no longer in the file. */
export function positionLost(path: string, offset: number, found: string): SluiceError<'POSITION_LOST'> {
  const message = `Cannot resume ${quotePath(path)} from byte ${offset}: ${found}`
  return new SluiceError('POSITION_LOST', message, { source: path, position: `byte ${offset}` })
}

/** The system's reasons in words. */
export const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'it is not a folder',
  EISDIR: 'it is a directory',
  EEXIST: 'it already exists',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'input/output error',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is exceeded',
}

/** The error for a file that has the wrong content, wherever one begins. */
export function corruptFile(path: string, found: string, offset = 0): SluiceError<'SOURCE_CORRUPT'> {
  return new SluiceError('SOURCE_CORRUPT', `Cannot read ${quotePath(path)}: ${found}`, { source: path, offset, found })
}

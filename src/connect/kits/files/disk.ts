// Calls of the file system that must not fail unnoticed: each error names the path, the operation and the system's
// reason.

import { constants, type Stats } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, messageOf, SluiceError } from '../../../base/errors.ts'
import { WORDS } from './errors.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, O_RDONLY, O_DIRECTORY } = constants

/** Nobody else reads a file before it is finished. */
const UNFINISHED_MODE = 0o600

/** The error for one of our own files that could not be written: `thrown` comes from the system. */
export function cannotStore(act: string, path: string, thrown: unknown): unknown {
  if (thrown instanceof SluiceError) return thrown
  const errno = errnoOf(thrown)
  return storageFailed(act, path, errno, WORDS[errno] ?? messageOf(thrown), thrown)
}

export function storageFailed(
  act: string,
  path: string,
  errno: string,
  found: string,
  cause?: unknown,
): SluiceError<'STORAGE_FAILED'> {
  const message = `Cannot ${act} ${JSON.stringify(path)}: ${found} (${errno})`
  return new SluiceError('STORAGE_FAILED', message, { path, errno }, { cause })
}

/** Creates a file that does not exist yet, without following links. */
export async function createFile(path: string): Promise<FileHandle> {
  return await attempt('make', path, () => open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, UNFINISHED_MODE))
}

/** Writes all of `bytes`, however many the system accepts at a time. */
export async function writeAll(handle: FileHandle, path: string, bytes: Uint8Array): Promise<void> {
  let at = 0
  while (at < bytes.length) {
    at += await attempt('write to', path, async () => (await handle.write(bytes, at)).bytesWritten)
  }
}

/**
 * Makes a written file durable, sets its mode, and closes it. A failed sync is never retried: the system may have
 * discarded what it could not write, and report success.
 */
export async function finishFile(handle: FileHandle, path: string, mode: number): Promise<void> {
  await attempt('sync', path, async () => {
    try {
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
}

/** Makes files created, renamed or removed in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Folders cannot be opened there, and their changes are durable anyway.
  if (process.platform === 'win32') return
  await attempt('sync', path, async () => {
    const handle = await open(path, O_RDONLY | O_DIRECTORY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
}

export async function renameFile(from: string, to: string): Promise<void> {
  await attempt('rename', from, () => rename(from, to))
}

/** Removes a file if it exists. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw cannotStore('remove', path, error)
  }
}

/** What a path refers to, without following links; undefined if nothing. */
export async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw cannotStore('look at', path, error)
  }
}

/** Creates the root folder if it does not exist; a link to a folder is fine, it is the user's. */
export async function makeRoot(path: string): Promise<void> {
  const found = await attempt('look at', path, async () => {
    return await stat(path).catch((error: unknown) => (errnoOf(error) === 'ENOENT' ? undefined : Promise.reject(error)))
  })
  if (found === undefined) return await makeFolder(path)
  if (!found.isDirectory()) throw storageFailed('use', path, 'ENOTDIR', 'it is not a folder')
}

/** Creates a folder if it does not exist, durably. A link is rejected: files would be written elsewhere. */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw cannotStore('make', path, error)
    return await checkFolder(path)
  }
  if (mode !== undefined) await attempt('make', path, () => chmod(path, mode))
  await syncFolder(dirname(path))
}

/** Checks that a path, if it exists, is a folder and not a link. */
export async function checkFolder(path: string): Promise<void> {
  const found = await lookAt(path)
  if (found === undefined || found.isDirectory()) return
  throw storageFailed('use', path, 'ENOTDIR', found.isSymbolicLink() ? 'it is a link' : 'it is not a folder')
}

async function attempt<T>(act: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw cannotStore(act, path, error)
  }
}

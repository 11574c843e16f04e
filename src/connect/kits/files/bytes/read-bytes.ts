// Reads bytes of an open file at an offset, retrying interrupted calls.

import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { errnoOf } from '../../../../base/errors.ts'

/** Fills as much of `into` as possible from `at` on; returns the number of bytes, 0 at the file's end. */
export async function readBytes(handle: FileHandle, into: Buffer, at: number): Promise<number> {
  for (;;) {
    try {
      const { bytesRead } = await handle.read(into, 0, into.length, at)
      return bytesRead
    } catch (thrown) {
      // Network file systems may be interrupted; Node retries all other calls by itself.
      if (errnoOf(thrown) !== 'EINTR') throw thrown
    }
  }
}

/** Synchronously reads up to `bytes` bytes from `at`; fewer only at the end of the file. */
export function readSyncAt(file: number, at: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  let length = 0
  while (length < bytes) {
    const read = readSyncInto(file, buffer.subarray(length), at + length)
    if (read === 0) break
    length += read
  }
  return buffer.subarray(0, length)
}

/** As `readBytes`, but synchronous. */
export function readSyncInto(file: number, into: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(file, into, 0, into.length, at)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EINTR') throw thrown
    }
  }
}

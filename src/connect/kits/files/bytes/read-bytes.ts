// Reads bytes of an open file at a place: a call that a signal interrupted is made again.

import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { errnoOf } from '../../../../base/errors.ts'

/** Fills what it can of `into` with what stands from `at` on; gives how many bytes there were, 0 at the file's end. */
export async function readBytes(handle: FileHandle, into: Buffer, at: number): Promise<number> {
  for (;;) {
    try {
      const { bytesRead } = await handle.read(into, 0, into.length, at)
      return bytesRead
    } catch (thrown) {
      // Network file systems may be interrupted; Node makes all other calls again by itself.
      if (errnoOf(thrown) !== 'EINTR') throw thrown
    }
  }
}

/** Reads up to `bytes` bytes from `at` on while everything waits; fewer only at the end of the file. */
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

/** As `readBytes`, while everything waits. */
export function readSyncInto(file: number, into: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(file, into, 0, into.length, at)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EINTR') throw thrown
    }
  }
}

// Reads bytes of an open file at a place: a call that a signal interrupted is made again.

import type { FileHandle } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'

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

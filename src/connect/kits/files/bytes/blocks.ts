// Bytes in blocks: returned by files, streams and decompressors, taken by cutters and decompressors.

import { lastBytes } from '../records/open-line.ts'

/** Bytes from front to back. One call at a time. */
export interface Blocks {
  /** The next bytes, never empty; undefined at the end. They may be overwritten as soon as `read` is called again. */
  read(): Promise<Buffer | undefined>
  /** How many stored bytes were consumed: for a compressed file those of the file, not of its content. */
  readonly takenBytes: number
  /** Releases what is held, except a descriptor: whoever opened it closes it. May be called twice. */
  close(): void
}

/** Reads blocks until they are sufficient together, or until the end. */
export async function gather(
  blocks: Blocks,
  isEnough: (bytes: Buffer) => boolean,
): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  let bytes: Buffer = Buffer.alloc(0)
  while (!isEnough(bytes)) {
    const block = await blocks.read()
    if (block === undefined) return { bytes, isWhole: true }
    bytes = Buffer.concat([bytes, block])
  }
  return { bytes, isWhole: false }
}

/** Skips the first bytes: returns the last of those, and what came with them of what follows. */
export async function skip(blocks: Blocks, bytes: number): Promise<{ readonly before: Buffer; readonly rest: Buffer }> {
  let before: Buffer = Buffer.alloc(0)
  let left = bytes
  while (left > 0) {
    const block = await blocks.read()
    if (block === undefined) break
    before = lastBytes(before, block.subarray(0, left))
    if (block.length > left) return { before, rest: block.subarray(left) }
    left -= block.length
  }
  return { before, rest: Buffer.alloc(0) }
}

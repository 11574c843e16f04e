// Reads compressed data once to its end before returning any of it: no line of a broken file may reach a commit.

import type { Blocks } from './blocks.ts'

/** What is known about content that was read to its end without an error. */
export interface Verified {
  /** Size of the content in bytes. */
  readonly sizeBytes: number
  /** Its first bytes, as many as requested or available. */
  readonly head: Buffer
}

/**
 * Reads content to its end, to check checksums, limits and the end itself.
 *
 * @throws {SluiceError} SOURCE_CORRUPT, SOURCE_LIMIT, or a read error
 */
export async function verify(content: Blocks, headBytes: number): Promise<Verified> {
  const head: Buffer[] = []
  let sizeBytes = 0
  for (let block = await content.read(); block !== undefined; block = await content.read()) {
    if (sizeBytes < headBytes) head.push(Buffer.from(block.subarray(0, headBytes - sizeBytes)))
    sizeBytes += block.length
  }
  return { sizeBytes, head: Buffer.concat(head) }
}

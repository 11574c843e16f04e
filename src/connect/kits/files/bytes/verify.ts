// Reads compressed data once through before any of it is given: no line of a broken file may get as far as a commit.

import type { Blocks } from './blocks.ts'

/** What is known of content that has been read to its end without an error. */
export interface Verified {
  /** Size of the content in bytes. */
  readonly sizeBytes: number
  /** Its first bytes, as many as were asked for or as there are. */
  readonly head: Buffer
}

/**
 * Reads content to its end, so that checksums, limits and the end itself have been seen.
 *
 * @throws {SluiceError} SOURCE_CORRUPT, SOURCE_LIMIT, or what reading fails with
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

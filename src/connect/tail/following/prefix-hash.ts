// A sketch of a file's first bytes: shows whether two contents begin alike, even if one of them is shorter.

import { createHash } from 'node:crypto'
import { HEAD_BYTES } from '../../kits/files/identity.ts'

/** After how many bytes the sketch takes a sample: densely at first, since copies of young files are short. */
const STEPS: readonly number[] = [...steps(16, 256, 16), ...steps(320, 1024, 64), ...steps(1280, HEAD_BYTES, 256)]

/** The length of a sample in characters: 24 bits in base64. */
const SAMPLE = 4

function steps(from: number, to: number, by: number): number[] {
  return Array.from({ length: (to - from) / by + 1 }, (_, i) => from + i * by)
}

/** How many samples a sketch of `bytes` bytes has. */
export function stepsWithin(bytes: number): number {
  let count = 0
  while (count < STEPS.length && (STEPS[count] ?? 0) <= bytes) count += 1
  return count
}

/**
 * The sketch of a prefix: samples of a running hash. The sketch of a longer prefix extends that of a shorter one.
 *
 * @param head - the first bytes; only the first 4 KiB are used
 */
export function prefixHashOf(head: Buffer): string {
  const running = createHash('sha256')
  let prefixHash = ''
  let at = 0
  for (const step of STEPS) {
    if (step > head.length) break
    running.update(head.subarray(at, step))
    prefixHash += running.copy().digest('base64').slice(0, SAMPLE)
    at = step
  }
  return prefixHash
}

/** Whether two contents begin alike, as far as both sketches reach. An empty prefix matches everything. */
export function beginAlike(one: string, other: string): boolean {
  return one.length < other.length ? other.startsWith(one) : one.startsWith(other)
}

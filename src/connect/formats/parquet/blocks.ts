// What Snappy and LZ4 blocks are made of: bytes as they stand, and copies of bytes that came before.

import { Damage } from './errors.ts'

/** Compressed bytes, as far as they were read: those from `at` on are not used yet. */
export interface BlockInput {
  bytes: Buffer
  at: number
  /** Whether no more will come. */
  isWhole: boolean
}

/** Decompresses a block, as far at a time as there is room and input. */
export interface BlockDecoder {
  /**
   * Writes what comes next after `from`, until the buffer is full, or the input used up; gives where it stopped. What
   * stands before `from` is what came before, the last bytes of it at least.
   */
  fill(out: Buffer, from: number): number
}

/** One step of a block: so many bytes as they stand, then a copy of so many from so far back. */
export interface BlockStep {
  literal: number
  distance: number
  copy: number
}

/** Reads the next step at `at` into `step`, and gives where it ends. Where it throws nothing has changed. */
export type ReadStep = (bytes: Buffer, at: number, step: BlockStep) => number

/** Copies that reach beyond what is kept: the block must be decompressed as a whole. */
export class TooFar extends Error {}

export function blockDecoder(input: BlockInput, readStep: ReadStep): BlockDecoder {
  const step: BlockStep = { literal: 0, distance: 0, copy: 0 }

  /** False if the input does not have it yet. */
  const next = (): boolean => {
    if (input.at === input.bytes.length) return false
    try {
      input.at = readStep(input.bytes, input.at, step)
      return true
    } catch (thrown) {
      if (input.isWhole) throw thrown
      return false
    }
  }

  return {
    fill(out, from) {
      let to = from
      while (to < out.length) {
        if (step.literal === 0 && step.copy === 0 && !next()) break
        if (step.literal > 0) {
          const taken = Math.min(step.literal, out.length - to, input.bytes.length - input.at)
          if (taken === 0 && input.isWhole) throw new Damage('a compressed block ends early')
          if (taken === 0) break
          input.bytes.copy(out, to, input.at, input.at + taken)
          input.at += taken
          to += taken
          step.literal -= taken
        }
        if (step.literal > 0 || step.copy === 0) continue
        const taken = Math.min(step.copy, out.length - to)
        copyBack(out, to, step.distance, taken)
        to += taken
        step.copy -= taken
      }
      return to
    },
  }
}

function copyBack(out: Buffer, to: number, distance: number, length: number): void {
  if (distance === 0) throw new Damage('a compressed block copies from nowhere')
  if (distance > to) throw new TooFar('a compressed block copies from before its start')
  // What is copied may be what the same copy writes; a few bytes are quicker by themselves.
  if (distance >= length && length > 32) out.copyWithin(to, to - distance, to - distance + length)
  else for (let at = to; at < to + length; at += 1) out[at] = out[at - distance] as number
}

// Snappy and LZ4 blocks: literal bytes, and copies of earlier bytes.

import { Damage } from './errors.ts'

/** Compressed bytes read so far: those from `at` on are not used yet. */
export interface BlockInput {
  bytes: Buffer
  at: number
  /** Whether this is all of the input. */
  isWhole: boolean
}

/** Decompresses a block, as far as there is room and input. */
export interface BlockDecoder {
  /**
   * Writes output from `from` on, until the buffer is full or the input used up; returns where it stopped. The bytes
   * before `from` are the preceding output, at least its last bytes.
   */
  fill(out: Buffer, from: number): number
}

/** One step of a block: a number of literal bytes, then a copy of a length from a distance. */
export interface BlockStep {
  literal: number
  distance: number
  copy: number
}

/** Reads the next step at `at` into `step`, and returns where it ends. If it throws, nothing has changed. */
export type ReadStep = (bytes: Buffer, at: number, step: BlockStep) => number

/** Copies that reach beyond the history kept: the block must be decompressed as a whole. */
export class TooFar extends Error {}

export function blockDecoder(input: BlockInput, readStep: ReadStep): BlockDecoder {
  const step: BlockStep = { literal: 0, distance: 0, copy: 0 }

  /** False if the input is not there yet. */
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
  // A copy may overlap its own output; a few bytes are faster one by one.
  if (distance >= length && length > 32) out.copyWithin(to, to - distance, to - distance + length)
  else for (let at = to; at < to + length; at += 1) out[at] = out[at - distance] as number
}

// The levels before the values of a page: how deeply each is nested in repeated groups, and which are null.

import type { Page } from './chunk-pages.ts'
import { Damage } from './errors.ts'
import { bitsFor, RunDecoder } from './runs.ts'

/** The number of the encoding that levels have. */
const RLE = 3

export interface Levels {
  /** Undefined if all are 0. */
  readonly repetitions: RunDecoder | undefined
  /** Undefined if no value can be null. */
  readonly definitions: RunDecoder | undefined
}

/**
 * Reads the levels of a page.
 *
 * @param most - the highest level of each kind in this column
 */
export async function readLevels(page: Page, most: { repeats: number; definition: number }): Promise<Levels> {
  const { header, levels, data } = page
  if (header.kind === 'data-2') {
    const { repetitionBytes, definitionBytes } = header
    const [from, end] = [repetitionBytes, repetitionBytes + definitionBytes]
    return {
      repetitions: most.repeats === 0 ? undefined : new RunDecoder(levels, 0, from, bitsFor(most.repeats)),
      definitions: most.definition === 0 ? undefined : new RunDecoder(levels, from, end, bitsFor(most.definition)),
    }
  }
  const take = async (highest: number, encoding: number): Promise<RunDecoder | undefined> => {
    if (highest === 0) return undefined
    if (encoding !== RLE) throw new Damage('its levels use the legacy BIT_PACKED encoding, which is not supported')
    await data.need(4)
    const length = data.take(4).readUInt32LE(0)
    await data.need(length)
    return new RunDecoder(data.take(length), 0, length, bitsFor(highest))
  }
  const repetitions = await take(most.repeats, header.repetitionEncoding)
  return { repetitions, definitions: await take(most.definition, header.definitionEncoding) }
}

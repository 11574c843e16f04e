// The dictionary of a column: values that its pages refer to by index.

import type { Page } from './chunk-pages.ts'
import { Damage } from './errors.ts'
import type { Conversion, Physical } from './physical.ts'
import { plainDecoder, type ValueDecoder } from './plain.ts'
import { RunDecoder } from './runs.ts'

/** Numbers looked up at once. */
const AT_ONCE = 1024

export interface Dictionary {
  /** Its values, or a function that makes a new one each time. */
  readonly values: readonly unknown[]
  readonly isFresh: boolean
  /** The approximate size of a value in bytes. */
  readonly valueBytes: number
}

export async function readDictionary(
  { header, data }: Page,
  physical: Physical,
  conversion: Conversion,
): Promise<Dictionary> {
  const { values: count } = header
  if (count > data.length && physical.type !== 'BOOLEAN') throw new Damage('a dictionary has fewer values than it says')
  const { ofBytes, isFresh } = conversion
  const values: unknown[] = []
  const later: Conversion =
    ofBytes === undefined || !isFresh
      ? conversion
      : { isFresh, ofBytes: (bytes, from, to) => () => ofBytes(bytes, from, to) }
  const read = await plainDecoder(data, physical, later).read(values, count, Number.POSITIVE_INFINITY)
  return { values, isFresh: later !== conversion, valueBytes: Math.max(1, Math.ceil(read / Math.max(1, count))) }
}

/** Values that are indexes into a dictionary, preceded by their width. */
export function dictionaryDecoder(bytes: Buffer, from: number, dictionary: Dictionary | undefined): ValueDecoder {
  if (dictionary === undefined) throw new Damage('a page refers to a dictionary that is missing')
  const { values, isFresh, valueBytes } = dictionary
  const { length } = values
  // A page of nulls may have no bytes at all.
  const width = bytes[from] ?? 0
  const runs = new RunDecoder(bytes, Math.min(bytes.length, from + 1), bytes.length, width)
  const numbers = new Uint32Array(AT_ONCE)
  return {
    read(out, wanted, enough) {
      // Values made each time take memory each.
      const count = isFresh ? Math.min(wanted, Math.max(1, Math.floor(enough / valueBytes))) : wanted
      for (let left = count; left > 0; ) {
        const some = Math.min(left, AT_ONCE)
        runs.read(numbers, some)
        for (let at = 0; at < some; at += 1) {
          const number = numbers[at] as number
          if (number >= length) throw new Damage(`a page refers to value ${number} of a dictionary of ${length}`)
          const value = values[number]
          out.push(isFresh ? (value as () => unknown)() : value)
        }
        left -= some
      }
      return isFresh ? count * valueBytes : count
    },
  }
}

// Values stored with all first bytes together, then all second ones, and so on.

import { Damage } from './errors.ts'
import type { Conversion, Physical } from './physical.ts'
import { fixedReader, type ValueDecoder } from './plain.ts'

/** BYTE_STREAM_SPLIT: there are as many values as fill the bytes. */
export function splitDecoder(bytes: Buffer, physical: Physical, conversion: Conversion): ValueDecoder {
  const { width } = physical
  if (width === 0) throw new Damage(`values of ${physical.type} cannot be split by bytes`)
  const count = bytes.length / width
  if (!Number.isInteger(count)) throw new Damage('a page of values split by bytes has an incomplete value')
  const readOne = fixedReader(physical, conversion)
  const value = Buffer.alloc(width)
  let at = 0
  return {
    read(out, wanted) {
      if (wanted > count - at) throw new Damage('a page has fewer values than it says')
      for (const end = at + wanted; at < end; at += 1) {
        for (let byte = 0; byte < width; byte += 1) value[byte] = bytes[byte * count + at] as number
        out.push(readOne(value, 0))
      }
      return wanted * width
    },
  }
}

// Values stored plainly in a page, one after the other.

import { Damage } from './errors.ts'
import type { PageBytes } from './page-bytes.ts'
import { type Conversion, int64At, type Physical } from './physical.ts'

/** Decodes the values of a page, a few at a time. */
export interface ValueDecoder {
  /**
   * Appends `count` values to `out`; fewer, at least one, if they take more than `enough` bytes. Returns about how many
   * bytes they came from.
   */
  read(out: unknown[], count: number, enough: number): number | Promise<number>
}

export function plainDecoder(page: PageBytes, physical: Physical, conversion: Conversion): ValueDecoder {
  if (physical.type === 'BOOLEAN') return booleans(page)
  if (physical.type === 'BYTE_ARRAY') return byteArrays(page, conversion)
  const { width } = physical
  const readOne = fixedReader(physical, conversion)
  return {
    async read(out, count) {
      for (let left = count; left > 0; ) {
        const some = Math.min(left, Math.floor(page.there / width))
        const { bytes } = page
        for (let end = page.at + some * width; page.at < end; page.at += width) out.push(readOne(bytes, page.at))
        left -= some
        if (left > 0 && page.there < width && !(await page.more()))
          throw new Damage('a page has fewer values than it says')
      }
      return count * width
    },
  }
}

/** Reads one value of a known width. */
export function fixedReader(
  { type, width }: Physical,
  { ofNumber, ofBytes }: Conversion,
): (bytes: Buffer, at: number) => unknown {
  const read = numberReader(type)
  if (read === undefined) {
    if (ofBytes === undefined) throw new Damage(`values of ${type} are not numbers`)
    return (bytes, at) => ofBytes(bytes, at, at + width)
  }
  return ofNumber === undefined ? read : (bytes, at) => ofNumber(read(bytes, at))
}

function numberReader(type: string): ((bytes: Buffer, at: number) => number | bigint) | undefined {
  switch (type) {
    case 'INT32':
      return (bytes, at) => bytes.readInt32LE(at)
    case 'INT64':
      return int64At
    case 'FLOAT':
      return (bytes, at) => bytes.readFloatLE(at)
    case 'DOUBLE':
      return (bytes, at) => bytes.readDoubleLE(at)
    default:
      return undefined
  }
}

function booleans(page: PageBytes): ValueDecoder {
  let byte = 0
  let left = 0
  return {
    read(out, count) {
      for (let given = 0; given < count; given += 1) {
        if (left === 0) {
          if (page.there === 0) throw new Damage('a page has fewer values than it says')
          byte = page.bytes[page.at] as number
          page.at += 1
          left = 8
        }
        out.push((byte & 1) === 1)
        byte >>= 1
        left -= 1
      }
      return count
    },
  }
}

function byteArrays(page: PageBytes, { ofBytes }: Conversion): ValueDecoder {
  if (ofBytes === undefined) throw new Damage('values of BYTE_ARRAY are not numbers')
  return {
    async read(out, count, enough) {
      let read = 0
      for (let left = count; left > 0 && read <= enough; ) {
        const { bytes } = page
        let { at } = page
        for (; left > 0 && read <= enough && bytes.length - at >= 4; left -= 1) {
          const from = at + 4
          const to = from + bytes.readUInt32LE(at)
          if (to > bytes.length) break
          out.push(ofBytes(bytes, from, to))
          read += to - at
          at = to
        }
        page.at = at
        if (left === 0 || read > enough) break
        await page.need(4)
        await page.need(4 + page.bytes.readUInt32LE(page.at))
      }
      return read
    },
  }
}

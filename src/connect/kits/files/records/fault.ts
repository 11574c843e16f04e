// Errors that make bytes an invalid record, in any format; recognized by the reason of a dead letter.

import { bytesOfEscaped, looksEscaped } from './raw.ts'

/** The error of a record over its limit; undefined for one within it. */
export function faultOfLength(noun: string, bytes: number, limit: number): string | undefined {
  return bytes > limit ? `${noun} of ${inThousands(bytes)} bytes, limit ${inThousands(limit)}` : undefined
}

/** The error of what completes a record that was returned unterminated. */
export function faultOfRest(noun: string): string {
  return `rest of a ${noun} whose beginning was read before, when it was the last and had no line end`
}

/** The error of a text with a NUL in it; undefined for one without. */
export function faultOfNul(text: string): string | undefined {
  const at = text.indexOf('\0')
  return at === -1 ? undefined : `NUL byte at column ${at + 1}`
}

const TOO_LONG = /^(\w+) of [\d,]+ bytes, limit [\d,]+/
const REST = /^rest of a \w+ whose beginning was read before, when it was the last and had no line end/
const NUL = /^NUL byte at column \d+/

/** Whether a dead letter keeps only a part of its record, by its reason. */
export function isOfPart(reason: string): boolean {
  return TOO_LONG.test(reason) || REST.test(reason)
}

/**
 * Why a dead letter cannot be read as its record: it keeps a part of it, or something unreadable. Undefined for all
 * others.
 *
 * @param reason - the dead letter's, from the reading or from an earlier replay
 * @example
 * faultOfKept('NUL byte at column 3', 'ab\0') // => 'NUL byte at column 3'
 * faultOfKept('no status', 'GET /') // => undefined
 */
export function faultOfKept(reason: string, raw: string): string | undefined {
  const [long, noun] = TOO_LONG.exec(reason) ?? []
  if (long !== undefined) {
    const kept = inThousands(looksEscaped(raw) ? bytesOfEscaped(raw).length : Buffer.byteLength(raw))
    const option = noun === 'line' ? 'maxLineBytes' : 'maxRecordBytes'
    return `${long}: its dead letter keeps only the first ${kept} bytes; to load it, read its source again with a larger ${option}`
  }
  const rest = REST.exec(reason)?.[0]
  if (rest !== undefined) return `${rest}: to load it as a whole, read its source again`
  return NUL.exec(reason)?.[0]
}

function inThousands(count: number): string {
  return count.toLocaleString('en-US')
}

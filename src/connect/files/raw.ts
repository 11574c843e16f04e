// Bytes that are not all UTF-8, as text that loses none of them: for dead letters.

import { isUtf8 } from 'node:buffer'

const BACKSLASH = 0x5c

/**
 * Bytes as text: what is UTF-8 as it is, each byte that is not as `\xNN`, and backslashes doubled, so that the bytes can
 * be had back.
 *
 * @example
 * escapeBytes(Buffer.from([0x63, 0x61, 0x66, 0xe9])) // => 'caf\\xe9'
 */
export function escapeBytes(bytes: Buffer): string {
  let text = ''
  let from = 0
  let at = 0
  const flush = (): void => {
    text += bytes.toString('utf8', from, at)
  }
  while (at < bytes.length) {
    const byte = bytes[at] as number
    const length = lengthOf(byte)
    if (byte !== BACKSLASH && (length === 1 || (length > 1 && isUtf8(bytes.subarray(at, at + length))))) {
      at += length
      continue
    }
    flush()
    text += byte === BACKSLASH ? '\\\\' : `\\x${byte.toString(16)}`
    at += 1
    from = at
  }
  flush()
  return text
}

/** How many bytes the character has that begins with `byte`; 0 if none does. */
function lengthOf(byte: number): number {
  if (byte < 0x80) return 1
  if (byte < 0xc2) return 0
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0
}

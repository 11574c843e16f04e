// Bytes that are not all UTF-8, as text that loses none of them: for dead letters.

import { isUtf8 } from 'node:buffer'

const BACKSLASH = 0x5c

/** What becomes of a record with bytes that are not text in its encoding; `SourceCounts.invalidUtf8` counts them all. */
export type Malformed =
  /** It is a dead letter. */
  | 'reject'
  /** Each such byte becomes `\\xNN`. */
  | 'escape'
  /** Each such byte becomes U+FFFD: texts that differ only in them are one afterwards. */
  | 'replace'

/** The names of all. */
export const MALFORMED: readonly Malformed[] = ['reject', 'escape', 'replace']

/**
 * Bytes as text: what is UTF-8 as it is, each byte that is not as `\xNN`, and backslashes doubled, so that the bytes can
 * be had back.
 *
 * @example
 * escapeBytes(Buffer.from([0x63, 0x61, 0x66, 0xe9])) // => 'caf\\xe9'
 */
export function escapeBytes(bytes: Buffer): string {
  return escaped(bytes, BACKSLASH)
}

/**
 * As {@link escapeBytes}, with backslashes as they stand: web servers write bytes in this way themselves.
 *
 * @example
 * escapeMalformed(Buffer.from([0x5c, 0x63, 0x61, 0x66, 0xe9])) // => '\\caf\\xe9'
 */
export function escapeMalformed(bytes: Buffer): string {
  return escaped(bytes, -1)
}

/** The bytes that {@link escapeBytes} has written; undefined for a text that it cannot have escaped anything in. */
export function unescapeBytes(text: string): Buffer | undefined {
  const bytes = ESCAPED.test(text) ? bytesOf(text) : undefined
  return bytes === undefined || isUtf8(bytes) || escapeBytes(bytes) !== text ? undefined : bytes
}

function bytesOf(text: string): Buffer {
  const parts: Buffer[] = []
  for (const [part] of text.matchAll(/\\\\|\\x[0-9a-f]{2}|[^\\]+|\\/g)) {
    if (part === '\\\\') parts.push(Buffer.of(BACKSLASH))
    else if (part.length === 4 && part.startsWith('\\x')) parts.push(Buffer.of(Number.parseInt(part.slice(2), 16)))
    else parts.push(Buffer.from(part))
  }
  return Buffer.concat(parts)
}

const ESCAPED = /(?<!\\)(?:\\\\)*\\x[89a-f][0-9a-f]/

/** Each byte as `\xNN`. */
export function escapeUnit(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

/** Why a record is refused whose bytes are not text; `raw` is as {@link escapeBytes} writes it. */
export function malformedFault(raw: string, encoding: string): string {
  const at = raw.search(/\\x[0-9a-f]{2}/)
  return `not ${encoding}${at === -1 ? '' : `: found the byte ${raw.slice(at, at + 4)}`}`
}

function escaped(bytes: Buffer, doubled: number): string {
  let text = ''
  let from = 0
  let at = 0
  const flush = (): void => {
    text += bytes.toString('utf8', from, at)
  }
  while (at < bytes.length) {
    const byte = bytes[at] as number
    const length = lengthOf(byte)
    if (byte !== doubled && (length === 1 || (length > 1 && isUtf8(bytes.subarray(at, at + length))))) {
      at += length
      continue
    }
    flush()
    text += byte === doubled ? '\\\\' : `\\x${byte.toString(16)}`
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

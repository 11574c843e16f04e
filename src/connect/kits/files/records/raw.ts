// Bytes that are not all UTF-8, as lossless text: for dead letters.

import { isUtf8 } from 'node:buffer'

const BACKSLASH = 0x5c

/** What happens to a record with invalid bytes in its encoding; `SourceCounts.invalidUtf8` counts them all. */
export type Malformed =
  /** It is a dead letter. */
  | 'reject'
  /** Each such byte becomes `\\xNN`. */
  | 'escape'
  /** Each such byte becomes U+FFFD: texts that differ only in them become equal. */
  | 'replace'

/** The names of all. */
export const MALFORMED: readonly Malformed[] = ['reject', 'escape', 'replace']

/**
 * Bytes as text: UTF-8 as it is, each invalid byte as `\xNN`, and backslashes doubled, so that the bytes can be
 * restored.
 *
 * @example
 * escapeBytes(Buffer.from([0x63, 0x61, 0x66, 0xe9])) // => 'caf\\xe9'
 */
export function escapeBytes(bytes: Buffer): string {
  return escaped(bytes, BACKSLASH)
}

/**
 * As {@link escapeBytes}, with backslashes unchanged: web servers write bytes in this way themselves.
 *
 * @example
 * escapeMalformed(Buffer.from([0x5c, 0x63, 0x61, 0x66, 0xe9])) // => '\\caf\\xe9'
 */
export function escapeMalformed(bytes: Buffer): string {
  return escaped(bytes, -1)
}

/** The raw form of a text in which bytes are already `\xNN`: its other backslashes are doubled. */
export function rawOfEscaped(text: string): string {
  return text.replace(/\\(?!x[0-9a-f]{2})/g, '\\\\')
}

/**
 * Whether a raw form may contain escaped invalid bytes. A text may look the same.
 *
 * @example
 * looksEscaped('caf\\xe9') // => true
 * looksEscaped('caf\\xe9 \\n') // => false
 */
export function looksEscaped(raw: string): boolean {
  const found: readonly string[] = raw.match(ESCAPES) ?? []
  return !found.includes('\\') && found.some((one) => HIGH.test(one))
}

/** The inverse of {@link escapeBytes}. */
export function bytesOfEscaped(raw: string): Buffer {
  const parts: Buffer[] = []
  let from = 0
  for (const { 0: found, index } of raw.matchAll(ESCAPES)) {
    parts.push(Buffer.from(raw.slice(from, index)))
    parts.push(found === '\\\\' ? Buffer.of(BACKSLASH) : Buffer.from(found.slice(2), 'hex'))
    from = index + found.length
  }
  return Buffer.concat([...parts, Buffer.from(raw.slice(from))])
}

/** A raw form with escaped bytes as a text in which they stay escaped, as {@link escapeMalformed} makes it. */
export function textOfEscaped(raw: string): string {
  return raw.replaceAll('\\\\', '\\')
}

const ESCAPES = /\\(?:\\|x[0-9a-f]{2})?/g
const HIGH = /^\\x[89a-f]/

/** Each byte as `\xNN`. */
export function escapeUnit(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

/** U+FFFD instead of invalid bytes: one for each sequence. */
export function replaceEscapes(raw: string): string {
  return raw.replace(/\\\\|(?:\\x[0-9a-f]{2})+/g, (escapes) => (escapes === '\\\\' ? '\\' : '\ufffd'))
}

/** Why a record with invalid bytes is rejected; `raw` is as {@link escapeBytes} writes it. */
export function malformedFault(raw: string, encoding: string): string {
  const byte = raw.match(ESCAPES)?.find((one) => one.startsWith('\\x'))
  return `not ${encoding}${byte === undefined ? '' : `: found the byte ${byte}`}`
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

/** The length in bytes of the character that begins with `byte`; 0 if it begins no character. */
function lengthOf(byte: number): number {
  if (byte < 0x80) return 1
  if (byte < 0xc2) return 0
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0
}

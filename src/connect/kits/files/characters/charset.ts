// The supported text encodings, and how their bytes become text.

import { describeValue } from '../../../../base/check.ts'
import { escapeUnit } from '../records/raw.ts'
import type { WidthOf } from './widths.ts'

/** An encoding of text other than UTF-8. */
export interface Charset {
  /** Its name in the platform: `windows-1252`. */
  readonly name: string
  /** Bytes of a line end: 2 if every character takes at least two. */
  readonly unitBytes: 1 | 2
  /** Whether the second byte of a unit is its low one. */
  readonly isBigEndian: boolean
  /** The most bytes of a character. */
  readonly mostBytes: number
}

/** Encodings with a shift state that lasts beyond a line, which cannot be read from the middle. */
const STATEFUL = ['iso-2022-jp', 'replacement']
/** Encodings with multibyte characters, and the most bytes of one. */
const SEVERAL: Readonly<Record<string, number>> = {
  shift_jis: 2,
  'euc-jp': 3,
  'euc-kr': 2,
  big5: 2,
  gbk: 2,
  gb18030: 4,
  'utf-16le': 4,
  'utf-16be': 4,
}

/**
 * The encoding named in an option; undefined for UTF-8.
 *
 * @param encoding - a label of `TextDecoder`: `latin1`, `windows-1251`, `shift_jis`, `utf-16le`
 * @throws {RangeError} for an unknown one
 */
export function charsetOf(encoding: unknown): Charset | undefined {
  if (encoding === undefined) return undefined
  let name: string | undefined
  try {
    name = typeof encoding === 'string' ? new TextDecoder(encoding).encoding : undefined
  } catch {
    // The platform's own error names neither the option nor an example.
  }
  if (name === undefined || STATEFUL.includes(name))
    throw new RangeError(
      `encoding must be one such as utf-8, latin1, shift_jis or utf-16le: found ${describeValue(encoding)}`,
    )
  if (name === 'utf-8') return undefined
  const isWide = name.startsWith('utf-16')
  return { name, unitBytes: isWide ? 2 : 1, isBigEndian: name === 'utf-16be', mostBytes: SEVERAL[name] ?? 1 }
}

/** The encoding of a text that begins with a UTF-16 byte order mark; undefined for any other. */
export function tellUtf16(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head.length < 2) return undefined
  const mark = head.readUInt16BE(0)
  if (mark === 0xfffe) return 'utf-16le'
  return mark === 0xfeff ? 'utf-16be' : undefined
}

/** Where line ends are in bytes that begin with a whole unit: the index after each, from `from`. */
export function* lineStarts(bytes: Buffer, lineEnd: number, { unitBytes, isBigEndian }: Charset): Generator<number> {
  for (let at = bytes.indexOf(lineEnd); at !== -1; at = bytes.indexOf(lineEnd, at + 1)) {
    if (unitBytes === 1) {
      yield at + 1
      continue
    }
    const isLow = at % 2 === (isBigEndian ? 1 : 0)
    if (isLow && bytes[isBigEndian ? at - 1 : at + 1] === 0) yield isBigEndian ? at + 1 : at + 2
  }
}

/** Text decoded from bytes, and whether some of them are invalid: those are `\xNN` in it. */
export interface Decoded {
  readonly text: string
  readonly isMalformed: boolean
  /** How many bytes were used: the last character may be incomplete. */
  readonly usedBytes: number
}

/** Text with the sizes of its characters. */
export interface MeasuredText extends Decoded {
  /** The size of each character in bytes: of an escape, the first character has them all. */
  readonly widths: WidthOf
  /** Where in the text, as UTF-8, there are invalid bytes. */
  readonly malformedAt: readonly number[]
}

/** Decodes bytes that begin with a whole character, in linear time. */
export class CharsetDecoder {
  readonly #charset: Charset
  readonly #strict: InstanceType<typeof TextDecoder>

  constructor(charset: Charset) {
    this.#charset = charset
    this.#strict = new TextDecoder(charset.name, { fatal: true, ignoreBOM: true })
  }

  /**
   * @param isWhole - whether no byte follows
   */
  decode(bytes: Buffer, isWhole: boolean): Decoded {
    return this.decodeSound(bytes, isWhole) ?? this.measure(bytes, isWhole, false)
  }

  /** As `decode`, at once; undefined if some of the bytes are invalid. */
  decodeSound(bytes: Buffer, isWhole: boolean): Decoded | undefined {
    const most = isWhole ? 0 : Math.min(this.#charset.mostBytes - 1, bytes.length)
    for (let held = 0; held <= most; held += 1) {
      const text = this.#read(bytes, 0, bytes.length - held)
      if (text !== undefined) return { text, isMalformed: false, usedBytes: bytes.length - held }
    }
    return undefined
  }

  /**
   * As `decode`, with the size of each character.
   *
   * @param isReplaced - whether invalid bytes become U+FFFD: one for each sequence of them
   */
  measure(bytes: Buffer, isWhole: boolean, isReplaced: boolean): MeasuredText {
    const { mostBytes, unitBytes } = this.#charset
    const isEven = unitBytes === 2 || mostBytes === 1
    const sound = isEven ? this.decodeSound(bytes, isWhole) : undefined
    if (sound !== undefined) return { ...sound, widths: unitBytes === 2 ? 'utf-16' : 'one', malformedAt: [] }
    const widths: number[] = []
    const malformedAt: number[] = []
    let text = ''
    let utf8Bytes = 0
    let isBehindBad = false
    const usedBytes = this.#characters(bytes, isWhole, (character, from, to) => {
      const isBad = character === undefined
      if (isBad && isBehindBad && isReplaced) {
        widths[widths.length - 1] = (widths.at(-1) as number) + to - from
        return
      }
      if (isBad) malformedAt.push(utf8Bytes)
      const added = character ?? (isReplaced ? '\ufffd' : escapeUnit(bytes.subarray(from, to)))
      let width = to - from
      for (const _ of added) {
        widths.push(width)
        width = 0
      }
      text += added
      utf8Bytes += Buffer.byteLength(added)
      isBehindBad = isBad
    })
    return { text, widths: Uint32Array.from(widths), malformedAt, usedBytes, isMalformed: malformedAt.length > 0 }
  }

  #read(bytes: Buffer, from: number, to: number): string | undefined {
    try {
      return this.#strict.decode(bytes.subarray(from, to))
    } catch {
      return undefined
    }
  }

  /** Character by character, undefined for an invalid unit; returns how many bytes were used. */
  #characters(
    bytes: Buffer,
    isWhole: boolean,
    take: (character: string | undefined, from: number, to: number) => void,
  ): number {
    const { mostBytes, unitBytes } = this.#charset
    let at = 0
    while (at < bytes.length) {
      let length = unitBytes as number
      let character: string | undefined
      const byte = bytes[at] as number
      if (unitBytes === 1 && byte < 0x80) {
        take(String.fromCharCode(byte), at, at + 1)
        at += 1
        continue
      }
      for (; character === undefined && length <= mostBytes && at + length <= bytes.length; length += unitBytes)
        character = this.#read(bytes, at, at + length)
      if (character === undefined && !isWhole && bytes.length - at < mostBytes) break
      const to = character === undefined ? Math.min(at + unitBytes, bytes.length) : at + length - unitBytes
      take(character, at, to)
      at = to
    }
    return at
  }
}

// The first bytes of a file's content, and what encoding they are in.

import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { SluiceError } from '../base/errors.ts'
import { gather } from '../connect/kits/files/bytes/blocks.ts'
import { decode } from '../connect/kits/files/bytes/decode.ts'
import { type Encoding, MAGIC_BYTES, tellEncoding } from '../connect/kits/files/bytes/encoding.ts'
import { FileBlocks } from '../connect/kits/files/bytes/file-blocks.ts'
import { DEFAULT_LIMITS } from '../connect/kits/files/bytes/limits.ts'
import { tellUtf16 } from '../connect/kits/files/characters/charset.ts'
import { tellForeign } from '../connect/kits/files/characters/foreign.ts'
import { cannotRead, quotePath } from '../connect/kits/files/errors.ts'
import { readAt } from '../connect/kits/files/identity.ts'

export interface Head {
  readonly path: string
  /** How the file is compressed. */
  readonly packed: Encoding
  readonly bytes: Buffer
  /** Whether that is all of the content. */
  readonly isWhole: boolean
}

/** Enough to tell formats, delimiters and types. */
const HEAD_BYTES = 256 * 1024

/**
 * @throws {SluiceError} SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_CORRUPT, SOURCE_LIMIT
 */
export async function readHead(path: string, signal: AbortSignal): Promise<Head> {
  try {
    await using handle = await open(path)
    const { size: sizeBytes } = await handle.stat()
    const packed = tellEncoding(await readAt(handle, 0, MAGIC_BYTES))
    const stored = new FileBlocks(handle, { path, sizeBytes, blockBytes: 64 * 1024, signal })
    const content = decode(packed, stored, path, DEFAULT_LIMITS)
    try {
      return { path, packed, ...(await gather(content, ({ length }) => length >= HEAD_BYTES)) }
    } finally {
      content.close()
    }
  } catch (thrown) {
    if (signal.aborted) throw thrown
    throw cannotRead(path, 0, thrown)
  }
}

/** Text, and the option that makes a source decode it. */
export interface HeadText {
  readonly encoding: string | undefined
  readonly text: string
  /** Its lines, without their ends; the last one only if it is complete. */
  readonly lines: readonly string[]
}

/**
 * @throws {SluiceError} SOURCE_UNREADABLE for bytes that are not text
 */
export function textOf({ path, bytes, isWhole }: Head): HeadText {
  const utf16 = tellUtf16(bytes)
  const foreign = utf16 === undefined ? tellForeign(bytes) : undefined
  if (foreign !== undefined) throw notText(path, `it is ${foreign}`)
  const encoding = utf16 ?? (isUtf8(isWhole ? bytes : wholeCharacters(bytes)) ? undefined : 'windows-1252')
  if (utf16 === undefined && isBinary(bytes)) throw notText(path, 'its content is neither text nor of a known format')
  const text = new TextDecoder(encoding).decode(bytes)
  const lines = text.split(/\r\n|\n|\r/)
  if (!isWhole) lines.pop()
  return { encoding, text, lines }
}

/** Whether a line counts as a record. */
export function isWritten(line: string): boolean {
  return line.trim() !== ''
}

/** Without the last character of UTF-8, which may be cut. */
function wholeCharacters(bytes: Buffer): Buffer {
  let end = bytes.length
  for (let back = 1; back <= 4 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] as number
    if ((byte & 0xc0) === 0x80) continue
    if (byte >= 0xc0) end = bytes.length - back
    break
  }
  return bytes.subarray(0, end)
}

/** The most control characters of a text, beside tabs, line ends and escape sequences. */
const MOST_CONTROLS = 0.02

function isBinary(bytes: Buffer): boolean {
  let controls = 0
  for (const byte of bytes) if (byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1b) controls += 1
  return controls > MOST_CONTROLS * bytes.length
}

/** The error for what cannot be tried. */
export function notText(source: string, found: string): SluiceError {
  const message = `Cannot try ${quotePath(source)}: ${found}`
  return new SluiceError('SOURCE_UNREADABLE', message, { source, offset: 0, errno: 'unknown' })
}

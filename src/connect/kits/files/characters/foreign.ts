// Content that is not supported text, recognized by its first bytes: it would be cut into lines of garbage.

import { tellEncoding } from '../bytes/encoding.ts'

interface Kind {
  readonly name: string
  /** Its first bytes, in hex: `..` is any byte. */
  readonly magic: string
  /** Their offset; 0 by default. */
  readonly at?: number
  /** What the user can do about it. */
  readonly advice?: string
}

const UNPACK = 'unpack it first'

const KINDS: readonly Kind[] = [
  { name: 'a zip archive', magic: '504b0304' },
  { name: 'an empty zip archive', magic: '504b0506' },
  { name: 'a part of a zip archive', magic: '504b0708' },
  { name: 'xz data', magic: 'fd377a585a00' },
  { name: 'bzip2 data', magic: '425a68..314159265359' },
  { name: 'empty bzip2 data', magic: '425a68..177245385090' },
  { name: 'data of compress (.Z)', magic: '1f9d' },
  { name: 'lz4 data', magic: '04224d18' },
  { name: 'lz4 data in the legacy format', magic: '02214c18' },
  { name: 'lzip data', magic: '4c5a495001' },
  { name: 'lzma data', magic: '5d0000..00' },
  { name: 'lzop data', magic: '894c5a4f000d0a1a0a' },
  { name: 'framed snappy data', magic: 'ff060000734e61507059' },
  { name: 'a 7z archive', magic: '377abcaf271c' },
  { name: 'a rar archive', magic: '526172211a07' },
  { name: 'a cabinet archive', magic: '4d53434600000000' },
  { name: 'an ar archive', magic: '213c617263683e0a' },
  { name: 'an Avro file', magic: '4f626a01', advice: 'write it as NDJSON first' },
  { name: 'a Parquet file', magic: '5041523115', advice: 'read it with parquetSource()' },
  { name: 'an encrypted Parquet file', magic: '5041524515', advice: 'decrypt it first' },
  { name: 'an Arrow file', magic: '4152524f57310000', advice: 'write it as Parquet first' },
  { name: 'an ORC file', magic: '4f524308', advice: 'write it as Parquet first' },
  { name: 'a SQLite database', magic: '53514c69746520666f726d6174203300', advice: 'read it with sqliteSource()' },
  { name: 'a DuckDB database', magic: '4455434b..000000', at: 8, advice: 'read it with duckdbSource()' },
  { name: 'a legacy Excel or Word file', magic: 'd0cf11e0a1b11ae1', advice: 'save it as CSV first' },
  { name: 'an HDF5 file', magic: '894844460d0a1a0a' },
  { name: 'a systemd journal', magic: '4c504b5348485248', advice: 'write it as text with journalctl first' },
  { name: 'a Windows event log', magic: '456c6646696c6500' },
  { name: 'an ELF program', magic: '7f454c46' },
  { name: 'a PNG image', magic: '89504e470d0a1a0a' },
  { name: 'a JPEG image', magic: 'ffd8ff' },
  { name: 'text in UTF-32', magic: 'fffe0000', advice: 'convert it to UTF-8 first' },
  { name: 'text in UTF-32', magic: '0000feff', advice: 'convert it to UTF-8 first' },
]

const TAR_BYTES = 512

/**
 * Names content that is not text; undefined for everything else. File names mean nothing, and text may happen to begin
 * like a magic number.
 *
 * @param head - the first bytes of the content; a tar archive needs 512 of them
 * @example
 * tellForeign(Buffer.from('PK\x03\x04…')) // => 'a zip archive: unpack it first'
 * tellForeign(Buffer.from('PK,name')) // => undefined
 */
export function tellForeign(head: Buffer): string | undefined {
  const packed = tellEncoding(head)
  if (packed !== 'plain') return `${packed} data inside other compressed data: ${UNPACK}`
  const kind = KINDS.find(({ magic, at = 0 }) => hasMagic(head, magic, at))
  if (kind !== undefined) return `${kind.name}: ${kind.advice ?? UNPACK}`
  if (isZlib(head)) return `zlib data: ${UNPACK}`
  return isTar(head) ? `a tar archive: ${UNPACK}` : undefined
}

function hasMagic(head: Buffer, magic: string, at: number): boolean {
  const bytes = magic.length / 2
  if (head.length < at + bytes) return false
  for (let i = 0; i < bytes; i += 1) {
    const hex = magic.slice(2 * i, 2 * i + 2)
    if (hex !== '..' && head[at + i] !== Number.parseInt(hex, 16)) return false
  }
  return true
}

/** Two bytes: the second is a control character, or cannot begin a UTF-8 character here. */
function isZlib(head: Buffer): boolean {
  const [first, second, third = 0] = head
  if (first !== 0x78 || head.length < 3) return false
  return second === 0x01 || second === 0x9c || (second === 0xda && (third & 0xc0) !== 0x80)
}

/** A tar header contains the sum of its own bytes, in octal digits. */
function isTar(head: Buffer): boolean {
  if (head.length < TAR_BYTES) return false
  const stated = /^ *([0-7]{1,7})[ \0]/.exec(head.toString('latin1', 148, 156))?.[1]
  if (stated === undefined || head[0] === 0) return false
  let sum = 8 * 0x20
  for (let at = 0; at < TAR_BYTES; at += 1) if (at < 148 || at >= 156) sum += head[at] as number
  return sum === Number.parseInt(stated, 8)
}

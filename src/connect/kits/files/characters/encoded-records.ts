// Records of files that are not UTF-8, by means of those of UTF-8 files.

import { corruptFile } from '../errors.ts'
import type { ContentHead, OpenRecords, Records } from '../records/records.ts'
import { type Charset, CharsetDecoder, lineStarts, tellUtf16 } from './charset.ts'
import { EncodedCutter } from './encoded-cutter.ts'
import { tellForeign } from './foreign.ts'

/** Records of text in an encoding (UTF-8 if undefined); rejects files that do not hold such text. */
export function textRecords<T>(records: Records<T>, charset: Charset | undefined): Records<T> {
  return {
    ...records,
    isEnough: (head) => hasOtherMark(head, charset) || records.isEnough(utf8Of(head, false, charset)),
    open: (head) => {
      if (head.isText) return records.open(head)
      const found = foreignOf(head.start, charset)
      if (found !== undefined) throw corruptFile(head.path, found)
      return charset === undefined ? records.open(head) : openEncoded(records, head, charset)
    },
  }
}

/** What content that is not text in an encoding is, by its first bytes; undefined otherwise. */
export function foreignOf(head: Buffer, charset: Charset | undefined): string | undefined {
  const foreign = tellForeign(head)
  if (foreign !== undefined) return `it is ${foreign}`
  const mark = tellUtf16(head)
  if (mark === undefined || mark === charset?.name) return undefined
  return `its text is UTF-16, ${mark === 'utf-16le' ? 'little' : 'big'} endian: read it with encoding: '${mark}'`
}

function hasOtherMark(bytes: Buffer, charset: Charset | undefined): boolean {
  const mark = tellUtf16(bytes)
  return mark !== undefined && mark !== charset?.name
}

/** Text in an encoding as UTF-8, up to the last whole character. */
export function utf8Of(bytes: Buffer, isWhole: boolean, charset: Charset | undefined): Buffer {
  return charset === undefined ? bytes : Buffer.from(new CharsetDecoder(charset).decode(bytes, isWhole).text)
}

function openEncoded<T>(records: Records<T>, head: ContentHead, charset: Charset): OpenRecords<T> {
  const bytes = () => utf8Of(head.bytes(), head.isWhole, charset)
  const opened = records.open({ ...head, start: utf8Of(head.start, false, charset), bytes })
  const { start, lineEnd, cut, parse } = opened
  const offset =
    start.line === 1
      ? markBytes(head.start, start.offset, charset)
      : startOfLine(head.bytes(), start.line, lineEnd, charset)
  const { malformed, beginsInLines } = records
  return {
    start: { ...start, offset },
    lineEnd,
    cut: (from) => new EncodedCutter({ ...from, charset, lineEnd, malformed, beginsInLines, cut }),
    parse,
  }
}

/**
 * The stored length of the mark that was `utf8Bytes` long as UTF-8: nothing else precedes the first record of a first
 * line.
 */
function markBytes(bytes: Buffer, utf8Bytes: number, { unitBytes, name }: Charset): number {
  if (utf8Bytes === 0) return 0
  return unitBytes === 2 ? 2 : name === 'gb18030' ? 4 : Math.min(utf8Bytes, bytes.length)
}

function startOfLine(bytes: Buffer, line: number, lineEnd: number, charset: Charset): number {
  let number = 1
  for (const start of lineStarts(bytes, lineEnd, charset)) {
    number += 1
    if (number === line) return start
  }
  return bytes.length
}

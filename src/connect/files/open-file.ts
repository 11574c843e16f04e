// Opens a regular file, or a byte range of one, at its start or where an earlier run stood.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isSluiceError } from '../../base/errors.ts'
import type { LineFormat } from '../format.ts'
import type { SplitReader } from '../source.ts'
import type { Blocks } from './blocks.ts'
import { decode } from './decode.ts'
import { tellEncoding, tellUtf16 } from './encoding.ts'
import { FileBlocks } from './file-blocks.ts'
import { HEAD_LINES_BYTES, headLines } from './head-lines.ts'
import { checkPosition, type FileNow, type FilePosition, fingerprintOf, HEAD_BYTES, readAt } from './identity.ts'
import type { Limits } from './limits.ts'
import { LineCutter } from './line-cutter.ts'
import { LineReader, nothingNew } from './line-reader.ts'
import { refuseSpecial, specialKind } from './list.ts'
import { LAST_BYTES } from './open-line.ts'
import { type ByteRange, findLineStart, findRangeStart, type RangeStart } from './range.ts'
import { cannotRead, positionLost, utf16Fault } from './trouble.ts'
import { verify } from './verify.ts'

export interface OpenFileOptions<T> {
  readonly path: string
  /** The part to read; the whole file if undefined. */
  readonly range: ByteRange | undefined
  readonly format: LineFormat<T>
  readonly maxLineBytes: number
  readonly limits: Limits
  /** Where an earlier run stood. */
  readonly from: FilePosition | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether numbers of lines may be left out. */
  readonly isForValues?: boolean
}

/** What compressed data is read by: the decompressor holds one such block and what it makes of it. */
const STORED_BLOCK_BYTES = 64 * 1024

/** What the first line of a range is looked for in, a block at a time. */
const SEARCHED_BYTES = 16 * 1024

/** Opens a file for reading. Holds one descriptor, until the reader is closed or opening fails. */
export async function openFile<T>(options: OpenFileOptions<T>): Promise<SplitReader<T>> {
  const { path, from, signal } = options
  const handle = await openRegular(path)
  try {
    const file = await lookAt(path, handle)
    const head = await readAt(handle, 0, Math.min(file.size, headBytesOf(options)))
    const now: FileNow = { ...file, encoding: tellEncoding(head) }
    const before = from === undefined ? Buffer.alloc(0) : await checkPosition(now, from)
    signal?.throwIfAborted()
    if (from !== undefined && hasNothingNew(now, from, options.range)) {
      await handle.close()
      const sizeBytes = sizeOf(now.size, options.range)
      return nothingNew(`nothing new since byte ${from.offset}`, from, sizeBytes)
    }
    return await (now.encoding === 'plain' ? openPlain(now, head, before, options) : openStored(now, head, options))
  } catch (thrown) {
    await handle.close()
    if (signal?.aborted === true || isSluiceError(thrown)) throw thrown
    throw isSystemError(thrown) ? cannotRead(path, 0, thrown) : thrown
  }
}

/** A range that is one of many is opened with as little reading as may be. */
function headBytesOf({ format, isForValues }: OpenFileOptions<unknown>): number {
  return isForValues === true && format.usesHead === false ? HEAD_BYTES : HEAD_LINES_BYTES
}

/** How much of a file, or of a range of it, there is to read. */
export function sizeOf(sizeBytes: number, range: ByteRange | undefined): number {
  if (range === undefined) return sizeBytes
  return Math.max(0, Math.min(sizeBytes, range.to) - range.from)
}

/** Not blocking, so that a pipe that has taken the file's place since it was listed cannot hold us. */
async function openRegular(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (thrown) {
    throw cannotRead(path, 0, thrown)
  }
}

async function lookAt(path: string, handle: FileHandle): Promise<Omit<FileNow, 'encoding'>> {
  const stats = await handle.stat({ bigint: true })
  if (!stats.isFile() && !stats.isDirectory()) throw refuseSpecial(path, specialKind(stats))
  return { path, handle, inode: `${stats.dev}:${stats.ino}`, size: Number(stats.size) }
}

function hasNothingNew(file: FileNow, from: FilePosition, range: ByteRange | undefined): boolean {
  const isUnchanged = file.size === from.size
  if (isUnchanged && (from.isDone || (file.encoding === 'plain' && from.offset === file.size))) return true
  const isPastRange = range !== undefined && from.line > 0 && from.offset >= range.to
  return isPastRange && !from.isPartial
}

async function openPlain<T>(
  file: FileNow,
  head: Buffer,
  before: Buffer,
  options: OpenFileOptions<T>,
): Promise<SplitReader<T>> {
  const { path, handle, size } = file
  const { range, from, format, maxLineBytes, signal, isForValues = false } = options
  const blocksFrom = (offset: number, blockBytes?: number) =>
    new FileBlocks(handle, {
      path,
      from: offset,
      sizeBytes: size,
      signal,
      ...(blockBytes === undefined ? {} : { blockBytes }),
    })
  const isFresh = from === undefined || from.line === 0
  const start: RangeStart | undefined = !isFresh
    ? { offset: from.offset, line: from.line }
    : range === undefined
      ? { offset: 0, line: 1 }
      : isForValues
        ? await findLineStart(blocksFrom(Math.max(0, range.from - 1), SEARCHED_BYTES), range)
        : await findRangeStart(blocksFrom(0), range)
  const headPrint = fingerprintOf(head.subarray(0, HEAD_BYTES))
  const identity = { encoding: 'plain' as const, inode: file.inode, head: headPrint }
  if (start === undefined) {
    await handle.close()
    const none = { size, tail: fingerprintOf(Buffer.alloc(0)), offset: range?.from ?? 0, line: 0 }
    const position: FilePosition = { ...identity, ...none, isDone: true, isPartial: false }
    return nothingNew('no line begins here', position, sizeOf(size, range))
  }
  const blocks = blocksFrom(start.offset)
  const isRest = !isFresh && from.isPartial
  const cutter = new LineCutter({
    offset: start.offset,
    line: isRest ? start.line - 1 : start.line,
    maxLineBytes,
    isFileStart: start.offset === 0,
    isRest,
    fault: utf16Fault(tellUtf16(head)),
    before:
      isFresh && !isForValues
        ? await readAt(handle, Math.max(0, start.offset - LAST_BYTES), Math.min(start.offset, LAST_BYTES))
        : before,
    until: range?.to ?? Number.POSITIVE_INFINITY,
  })
  return new LineReader({
    source: path,
    step: format.name,
    blocks,
    cutter,
    usesOrigin: format.usesOrigin ?? true,
    hasLines: start.line > 0,
    parse: format.open(format.usesHead === false ? [] : headLines(head, head.length === size, maxLineBytes)),
    positionAt: (isDone): FilePosition => ({
      ...identity,
      size: Math.max(size, blocks.takenBytes),
      tail: fingerprintOf(cutter.lastBytes()),
      offset: cutter.offset,
      line: cutter.line,
      isDone,
      isPartial: cutter.isPartial,
    }),
    doneBytesAt: (isDone) => {
      const doneBytes = sizeOf(blocks.takenBytes, range)
      return isDone ? Math.max(doneBytes, sizeOf(size, range)) : doneBytes
    },
    release: () => handle.close(),
  })
}

async function openStored<T>(file: FileNow, head: Buffer, options: OpenFileOptions<T>): Promise<SplitReader<T>> {
  const { path, handle, size, encoding } = file
  const { from, format, maxLineBytes, limits, signal } = options
  const contentOf = (): Blocks => {
    const blockBytes = STORED_BLOCK_BYTES
    return decode(encoding, new FileBlocks(handle, { path, sizeBytes: size, blockBytes, signal }), path, limits)
  }
  const checked = contentOf()
  const { sizeBytes, head: contentHead } = await verify(checked, HEAD_LINES_BYTES).finally(() => checked.close())
  const offset = from?.offset ?? 0
  if (offset > sizeBytes) throw positionLost(path, offset, `its content is now ${sizeBytes} bytes`)
  const content = contentOf()
  const cutter = new LineCutter({
    offset,
    line: from?.line ?? 1,
    maxLineBytes,
    isFileStart: offset === 0,
    fault: utf16Fault(tellUtf16(contentHead)),
  })
  const identity = {
    encoding,
    inode: file.inode,
    size,
    head: fingerprintOf(head.subarray(0, HEAD_BYTES)),
    tail: fingerprintOf(await readAt(handle, Math.max(0, size - LAST_BYTES), Math.min(size, LAST_BYTES))),
  }
  try {
    const rest = await skip(content, offset)
    if (rest.length > 0) cutter.push(rest)
  } catch (thrown) {
    content.close()
    throw thrown
  }
  return new LineReader({
    source: path,
    step: format.name,
    blocks: content,
    cutter,
    usesOrigin: format.usesOrigin ?? true,
    hasLines: true,
    parse: format.open(headLines(contentHead, contentHead.length === sizeBytes, maxLineBytes)),
    positionAt: (isDone): FilePosition => {
      const { line, isPartial } = cutter
      return { ...identity, offset: cutter.offset, line, isDone, isPartial }
    },
    doneBytesAt: (isDone) => (isDone ? size : content.takenBytes),
    release: () => handle.close(),
  })
}

/** Reads over the first bytes of content, and gives what the last block read holds beyond them. */
async function skip(content: Blocks, bytes: number): Promise<Buffer> {
  let left = bytes
  while (left > 0) {
    const block = await content.read()
    if (block === undefined) break
    if (block.length > left) return block.subarray(left)
    left -= block.length
  }
  return Buffer.alloc(0)
}

function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown
}

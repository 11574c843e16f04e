// Opens a regular file, or a byte range of one, at its start or where an earlier run stopped.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { orClose } from '../../../base/closing.ts'
import { isSluiceError } from '../../../base/errors.ts'
import type { SplitReader } from '../../source.ts'
import type { Blocks } from './bytes/blocks.ts'
import { skip } from './bytes/blocks.ts'
import { decode } from './bytes/decode.ts'
import { tellEncoding } from './bytes/encoding.ts'
import { FileBlocks } from './bytes/file-blocks.ts'
import { type ByteRange, findLineStart } from './bytes/range.ts'
import { readSyncAt } from './bytes/read-bytes.ts'
import { verify } from './bytes/verify.ts'
import { cannotRead, positionLost } from './errors.ts'
import {
  checkPosition,
  type FileId,
  type FileNow,
  type FilePosition,
  fileIdOf,
  fingerprintOf,
  HEAD_BYTES,
  readAt,
} from './identity.ts'
import { refuseSpecial, specialKind } from './list.ts'
import type { OpenContentOptions } from './open-stream.ts'
import { sizeOf } from './parts.ts'
import { HEAD_LINES_BYTES } from './records/head-lines.ts'
import type { LineMarks } from './records/line-marks.ts'
import { LineNumbers } from './records/line-numbers.ts'
import { LineReader, nothingNew } from './records/line-reader.ts'
import { LAST_BYTES } from './records/open-line.ts'
import type { OpenRecords, RecordStart } from './records/records.ts'

export interface OpenFileOptions<T> extends OpenContentOptions<T> {
  readonly path: string
  /** The part to read; the whole file if undefined. */
  readonly range: ByteRange | undefined
  /** Where lines begin, as far as readers of the same files know. */
  readonly marks: LineMarks
}

/** The block size for compressed data: the decompressor holds one such block and its output. */
const STORED_BLOCK_BYTES = 64 * 1024

/** The block size for finding the first line of a range. */
const SEARCHED_BYTES = 16 * 1024

/** Opens a file for reading. Holds one descriptor, until the reader is closed or opening fails. */
export async function openFile<T>(options: OpenFileOptions<T>): Promise<SplitReader<T>> {
  const { path, from, signal } = options
  const handle = await openRegular(path)
  try {
    const file = await lookAt(path, handle)
    const head = await readAt(handle, 0, Math.min(file.size, HEAD_BYTES))
    const now: FileNow = { ...file, encoding: tellEncoding(head) }
    const before = from === undefined ? Buffer.alloc(0) : await checkPosition(now, from)
    signal?.throwIfAborted()
    if (from !== undefined && hasNothingNew(now, from, options.range)) {
      await handle.close()
      const isNumbered = from.line > 0 && from.countedFrom === undefined
      if (options.range !== undefined && isNumbered && !from.isPartial) options.marks.add(path, now.inode, from)
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

/** Non-blocking, so that a pipe that has replaced the file since it was listed cannot block us. */
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
  return { path, handle, ...fileIdOf(stats), size: Number(stats.size) }
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
  const { range, marks, from, records, signal } = options
  const opened = records.open({
    path,
    start: head,
    bytes: () => readSyncAt(handle.fd, 0, Math.min(size, HEAD_LINES_BYTES)),
    isWhole: size <= HEAD_LINES_BYTES,
  })
  const blocksFrom = (offset: number, blockBytes?: number) =>
    new FileBlocks(handle, {
      path,
      from: offset,
      sizeBytes: size,
      signal,
      ...(blockBytes === undefined ? {} : { blockBytes }),
    })
  const resumed = resumedAt(from, opened)
  const start = resumed ?? (await startOf(opened, file, options, blocksFrom))
  const headPrint = fingerprintOf(head.subarray(0, HEAD_BYTES))
  const identity = { encoding: 'plain' as const, ...idOf(file), head: headPrint }
  if (start === undefined) {
    await handle.close()
    const none = { size, tail: fingerprintOf(Buffer.alloc(0)), offset: range?.from ?? 0, line: 0 }
    const position: FilePosition = { ...identity, ...none, isDone: true, isPartial: false }
    return nothingNew('no line begins here', position, sizeOf(size, range))
  }
  const blocks = blocksFrom(start.offset)
  const { isRest, countedFrom } = start
  const numbers =
    countedFrom === undefined
      ? undefined
      : new LineNumbers({ path, inode: file.inode, from: countedFrom, lineEnd: opened.lineEnd, marks })
  const cutter = opened.cut({
    offset: start.offset,
    line: isRest ? start.line - 1 : start.line,
    isFileStart: start.offset === 0,
    isRest,
    isResumed: resumed !== undefined && resumed.offset > 0,
    before: start.before ?? (resumed === undefined ? await bytesBefore(handle, start.offset) : before),
    until: range?.to ?? Number.POSITIVE_INFINITY,
  })
  return new LineReader({
    source: path,
    step: records.name,
    onRefused: options.onRefused,
    blocks,
    cutter,
    numberOf: numbers?.of,
    parse: opened.parse,
    scan: opened.scan?.(),
    positionAt: (isDone): FilePosition => ({
      ...identity,
      size: Math.max(size, blocks.takenBytes),
      tail: fingerprintOf(cutter.lastBytes()),
      offset: cutter.offset,
      line: cutter.line,
      ...(countedFrom === undefined ? {} : { countedFrom }),
      isDone,
      isPartial: cutter.isPartial,
    }),
    doneBytesAt: (isDone) => {
      const doneBytes = sizeOf(blocks.takenBytes, range)
      return isDone ? Math.max(doneBytes, sizeOf(size, range)) : doneBytes
    },
    release: async () => {
      const isNumbered = numbers?.isCounted ?? true
      if (range !== undefined && isNumbered && !cutter.isPartial) {
        marks.add(path, file.inode, { offset: cutter.offset, line: numbers?.of(cutter.line) ?? cutter.line })
      }
      await handle.close()
    },
  })
}

async function bytesBefore(handle: FileHandle, offset: number): Promise<Buffer> {
  const from = Math.max(0, offset - LAST_BYTES)
  return await readAt(handle, from, offset - from)
}

/** Where reading of a file begins. */
interface Start extends RecordStart {
  /** Where the line that counts as the first begins, if that is not the file's. */
  readonly countedFrom?: number | undefined
  /** The bytes before it, if they were read. */
  readonly before?: Buffer
}

/** Where an earlier run stopped; undefined if that was before the first record, or unknown. */
function resumedAt(from: FilePosition | undefined, { start }: OpenRecords<unknown>): Start | undefined {
  if (from === undefined || from.line === 0 || from.offset < start.offset) return undefined
  const { offset, line, isPartial, countedFrom } = from
  return { offset, line, isRest: isPartial, countedFrom }
}

/** Where the records of a file, or of a range of it, begin; undefined if no record begins there. */
async function startOf(
  { start, lineEnd }: OpenRecords<unknown>,
  { path, inode }: FileNow,
  { range, marks }: OpenFileOptions<unknown>,
  blocksFrom: (offset: number, blockBytes?: number) => Blocks,
): Promise<Start | undefined> {
  if (range === undefined) return start
  if (range.from <= start.offset) return start.offset < range.to ? start : undefined
  const found = await findLineStart(blocksFrom(Math.max(0, range.from - LAST_BYTES), SEARCHED_BYTES), range, lineEnd)
  if (found === undefined) return undefined
  const known = marks.before(path, inode, found.offset)
  if (known.offset === found.offset) return { ...found, line: known.line, isRest: false }
  return { ...found, line: 1, isRest: false, countedFrom: found.offset }
}

async function openStored<T>(file: FileNow, head: Buffer, options: OpenFileOptions<T>): Promise<SplitReader<T>> {
  const { path, handle, size, encoding } = file
  const { from, records, limits, signal } = options
  const contentOf = (): Blocks => {
    const blockBytes = STORED_BLOCK_BYTES
    return decode(encoding, new FileBlocks(handle, { path, sizeBytes: size, blockBytes, signal }), path, limits)
  }
  const checked = contentOf()
  const { sizeBytes, head: contentHead } = await verify(checked, HEAD_LINES_BYTES).finally(() => checked.close())
  const opened = records.open({
    path,
    start: contentHead,
    bytes: () => contentHead,
    isWhole: contentHead.length === sizeBytes,
  })
  const resumed = resumedAt(from, opened)
  const { offset, line } = resumed ?? opened.start
  if (offset > sizeBytes) throw positionLost(path, offset, `its content is now ${sizeBytes} bytes`)
  const content = contentOf()
  const isResumed = resumed !== undefined && offset > 0
  const cutter = opened.cut({ offset, line, isFileStart: offset === 0, isResumed })
  const identity = {
    encoding,
    ...idOf(file),
    size,
    head: fingerprintOf(head.subarray(0, HEAD_BYTES)),
    tail: fingerprintOf(await readAt(handle, Math.max(0, size - LAST_BYTES), Math.min(size, LAST_BYTES))),
  }
  await orClose(content, async () => {
    const { rest } = await skip(content, offset)
    if (rest.length > 0) cutter.push(rest)
  })
  return new LineReader({
    source: path,
    step: records.name,
    onRefused: options.onRefused,
    blocks: content,
    cutter,
    parse: opened.parse,
    positionAt: (isDone): FilePosition => {
      const { line, isPartial } = cutter
      return { ...identity, offset: cutter.offset, line, isDone, isPartial }
    },
    doneBytesAt: (isDone) => (isDone ? size : content.takenBytes),
    release: () => handle.close(),
  })
}

function idOf({ inode, born }: FileId): FileId {
  return born === undefined ? { inode } : { inode, born }
}

function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown
}

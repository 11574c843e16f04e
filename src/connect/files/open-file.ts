// Opens a regular file, or a byte range of one, at its start or where an earlier run stood.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isSluiceError } from '../../base/errors.ts'
import type { SplitReader } from '../source.ts'
import type { Blocks } from './blocks.ts'
import { decode } from './decode.ts'
import { tellEncoding } from './encoding.ts'
import { FileBlocks } from './file-blocks.ts'
import { HEAD_LINES_BYTES } from './head-lines.ts'
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
import type { Limits } from './limits.ts'
import type { LineMarks } from './line-marks.ts'
import { LineReader, nothingNew } from './line-reader.ts'
import { refuseSpecial, specialKind } from './list.ts'
import { LAST_BYTES } from './open-line.ts'
import { sizeOf } from './parts.ts'
import { type ByteRange, FIRST_LINE, findLineStart, findRangeStart, type RangeStart } from './range.ts'
import type { OpenRecords, RecordStart, Records } from './records.ts'
import { cannotRead, positionLost } from './trouble.ts'
import { verify } from './verify.ts'

export interface OpenFileOptions<T> {
  readonly path: string
  /** The part to read; the whole file if undefined. */
  readonly range: ByteRange | undefined
  readonly records: Records<T>
  readonly limits: Limits
  /** Where lines begin, as far as readers of the same files know. */
  readonly marks: LineMarks
  /** Where an earlier run stood. */
  readonly from: FilePosition | undefined
  readonly signal?: AbortSignal | undefined
  /** Told once if nearly all of the first records are refused. */
  readonly onRefused?: ((note: string) => void) | undefined
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
      if (options.range !== undefined && from.line > 0 && !from.isPartial) options.marks.add(path, now.inode, from)
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
function headBytesOf({ records, isForValues }: OpenFileOptions<unknown>): number {
  return isForValues === true && !records.usesHead ? HEAD_BYTES : HEAD_LINES_BYTES
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
  const { range, marks, from, records, signal, isForValues = false } = options
  const opened = records.open({ path, bytes: head, isWhole: head.length === size })
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
  const { isRest } = start
  const cutter = opened.cut({
    offset: start.offset,
    line: isRest ? start.line - 1 : start.line,
    isFileStart: start.offset === 0,
    isRest,
    isResumed: resumed !== undefined && resumed.offset > 0,
    before:
      resumed === undefined && !isForValues
        ? await readAt(handle, Math.max(0, start.offset - LAST_BYTES), Math.min(start.offset, LAST_BYTES))
        : before,
    until: range?.to ?? Number.POSITIVE_INFINITY,
  })
  return new LineReader({
    source: path,
    step: records.name,
    onRefused: options.onRefused,
    blocks,
    cutter,
    usesOrigin: records.usesOrigin,
    hasLines: start.line > 0,
    parse: opened.parse,
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
    release: async () => {
      if (range !== undefined && start.line > 0 && !cutter.isPartial) marks.add(path, file.inode, cutter)
      await handle.close()
    },
  })
}

/** Where an earlier run stood; undefined if it was before the first record, or did not know. */
function resumedAt(from: FilePosition | undefined, { start }: OpenRecords<unknown>): RecordStart | undefined {
  if (from === undefined || from.line === 0 || from.offset < start.offset) return undefined
  return { offset: from.offset, line: from.line, isRest: from.isPartial }
}

/** Where the records of a file, or of a range of it, begin. Line 0 where it is not told; undefined if none begins there. */
async function startOf(
  { start, lineEnd }: OpenRecords<unknown>,
  { path, inode }: FileNow,
  { range, marks, isForValues = false }: OpenFileOptions<unknown>,
  blocksFrom: (offset: number, blockBytes?: number) => Blocks,
): Promise<RecordStart | undefined> {
  if (range === undefined) return start
  if (range.from <= start.offset) return start.offset < range.to ? start : undefined
  const count = async (known: RangeStart) =>
    await findRangeStart(blocksFrom(Math.max(0, known.offset - 1)), range, lineEnd, known)
  let found: RangeStart | undefined | 'changed'
  if (isForValues) found = await findLineStart(blocksFrom(range.from - 1, SEARCHED_BYTES), range, lineEnd)
  else found = await count(marks.before(path, inode, range.from))
  if (found === 'changed') found = await count(FIRST_LINE)
  if (found === undefined || found === 'changed') return undefined
  if (!isForValues) marks.add(path, inode, found)
  return { ...found, isRest: false }
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
  const opened = records.open({ path, bytes: contentHead, isWhole: contentHead.length === sizeBytes })
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
  try {
    const rest = await skip(content, offset)
    if (rest.length > 0) cutter.push(rest)
  } catch (thrown) {
    content.close()
    throw thrown
  }
  return new LineReader({
    source: path,
    step: records.name,
    onRefused: options.onRefused,
    blocks: content,
    cutter,
    usesOrigin: records.usesOrigin,
    hasLines: true,
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

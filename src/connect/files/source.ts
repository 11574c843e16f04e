// The source of files: lines of plain and compressed files, by name or glob, and of standard input.

import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { describeValue } from '../../base/check.ts'
import { errnoOf, isSluiceError, SluiceError } from '../../base/errors.ts'
import { anything, type Check, type Checks, checkOptions, choice, integer, integerOrNone } from '../../base/options.ts'
import type { Columns } from '../column.ts'
import type { LineFormat } from '../format.ts'
import { MAGIC_BYTES, tellEncoding } from '../kits/files/bytes/encoding.ts'
import { DEFAULT_LIMITS, type Limits } from '../kits/files/bytes/limits.ts'
import { isWhole, parsePartId, partId, WHOLE } from '../kits/files/bytes/range.ts'
import { charsetOf } from '../kits/files/characters/charset.ts'
import { textRecords } from '../kits/files/characters/encoded-records.ts'
import { cannotRead, quotePath } from '../kits/files/errors.ts'
import { type FilePosition, parsePosition, readAt } from '../kits/files/identity.ts'
import { type FoundFile, listFiles, splitAtCommas } from '../kits/files/list.ts'
import { COPIES, type Copies, movedFiles } from '../kits/files/moved.ts'
import { openFile } from '../kits/files/open-file.ts'
import { openStream } from '../kits/files/open-stream.ts'
import { partsOf, type ReadPart, sizeOf } from '../kits/files/parts.ts'
import { ReadFiles } from '../kits/files/read-files.ts'
import { Again } from '../kits/files/records/again.ts'
import { MAX_LINE_BYTES } from '../kits/files/records/line-cutter.ts'
import { LineMarks } from '../kits/files/records/line-marks.ts'
import { passedOver, UNREADABLE } from '../kits/files/records/passed-over.ts'
import { MALFORMED, type Malformed } from '../kits/files/records/raw.ts'
import { lineRecords, type Records } from '../kits/files/records/records.ts'
import { type PartIds, SharedFiles } from '../kits/files/shared.ts'
import { openStandardInput } from '../kits/files/standard-input.ts'
import type { OpenOptions, Position, ResumedSplit, Source, SplitReader } from '../source.ts'

export interface FileSourceOptions {
  /** Longest line in bytes, without its line end; a longer one becomes a dead letter. 1 MiB by default. */
  readonly maxLineBytes?: number
  /**
   * Most bytes that one compressed byte may expand to, once 16 MiB have been decompressed. 200 for gzip by default,
   * 2,000 for zstd.
   */
  readonly maxRatio?: number
  /** Most bytes that one compressed file may expand to. No limit by default. */
  readonly maxTotalBytes?: number
  /**
   * Cuts plain files into ranges of this many bytes, to be read in parallel. Not cut by default. A later run may use
   * another size: what was read stays read, and only the rest is cut by it.
   */
  readonly splitBytes?: number
  /** The most files to read. 100,000 by default. */
  readonly maxFiles?: number
  /** Whether pipes and devices are read; they are rejected by default. */
  readonly allowSpecial?: boolean
  /** The encoding of the text, as `TextDecoder` names it: `latin1`, `shift_jis`, `utf-16le`. UTF-8 by default. */
  readonly encoding?: string
  /**
   * What becomes of a record with bytes that are not text in that encoding: `reject` makes a dead letter of it,
   * `escape` makes `\\xNN` of each byte, `replace` U+FFFD, so that texts which differ only there become equal. By
   * default records of CSV and JSON are rejected, and lines of logs escaped.
   */
  readonly malformed?: Malformed
  /**
   * What becomes of a file that cannot be read: without permission, damaged, over a limit, or not text. `fail` ends the
   * run (the default); `skip` makes a dead letter of the file, continues with the others, and tries it again in the
   * next run.
   */
  readonly unreadable?: 'fail' | 'skip'
  /**
   * What becomes of files in another folder with the names of files that were read, and their content. By default they
   * continue where those were, if those are gone: the folder was moved, or is another mount. If those still exist, the
   * run ends (POSITION_LOST): `skip` treats them as the files that were read, `load` as others.
   */
  readonly copies?: Copies
}

/** The longest string of Node: a longer line could not become one. */
const MAX_STRING_LENGTH = 0x1fffffe8

/** The split id and the source of standard input; not that of any file, as those are absolute paths. */
const STDIN = 'stdin'

/**
 * Reads the lines of files.
 *
 * - **Names**: paths or globs, separated by commas (an array holds one in each element); `-` is standard input. A name
 *   that exists is that file, whatever characters it holds, and so is a folder in a glob (`logs [prod]/*.log`). Files
 *   are read in the order of their absolute paths, each once.
 * - **Content**: plain, gzip or zstd, recognized by its first bytes. Compressed files are verified when they are
 *   opened: no line of one with a wrong checksum is emitted.
 * - **Lines** end at LF or CR LF; blank ones are counted, lines with a NUL byte or over `maxLineBytes` become dead
 *   letters. A byte order mark is not part of the first line.
 * - **Text** is UTF-8, or of the `encoding`. Lines with invalid bytes are counted, and handled as `malformed` says. A
 *   file that does not hold text (an archive, a database, UTF-16 without the option) is rejected by its first bytes.
 * - **Origins** name the absolute path, the line from 1, and the offset in the uncompressed content.
 * - **A file is identified** by its inode, with its first bytes and those before its position: under another name,
 *   renamed or linked, it is the same file, and continues. So do files whose folder was moved, or is mounted elsewhere,
 *   by their names and content, even if they have grown (`copies`). A copy beside the original is another file.
 * - **Resume**: a plain file may have grown. Lines after the last one follow; if that one had no line end, it was
 *   emitted as it was, and what completes it becomes a dead letter. A compressed file must be unchanged.
 * - **Standard input** cannot be read again: what an earlier run read and did not commit is lost (at most once), a
 *   later run starts with what is there then, and continues to count lines and offsets.
 * - **Unreadable files** end the run, unless `unreadable` says to skip them. Of a glob, a broken link and a file that
 *   is gone since it was listed are skipped with a note.
 *
 * Memory is bounded by `maxLineBytes` and a few blocks of 256 KiB, whatever the files hold.
 *
 * @throws {TypeError} for an unknown option, or input that is neither a text nor an array of texts
 * @throws {SluiceError} CONFIG_INVALID if no file is named; then, from `splits` and `open`: SOURCE_MISSING,
 *   SOURCE_UNREADABLE, SOURCE_CORRUPT, SOURCE_LIMIT, POSITION_LOST
 * @example
 * const lines = { name: 'lines', open: () => (text: string) => text }
 * const logs = fileSource('logs/*.log, logs/*.gz', lines)
 * logs.title // => 'logs/*.log, logs/*.gz as lines'
 */
export function fileSource<T>(
  input: string | readonly string[],
  format: LineFormat<T>,
  options: FileSourceOptions = {},
): Source<T> {
  checkOptions('fileSource', options, FILES_OPTIONS)
  const { maxLineBytes, ...reading } = options
  const records = lineRecords(format, maxLineBytes ?? MAX_LINE_BYTES, reading.malformed)
  return recordFiles(input, { ...reading, kind: 'files', columns: format.columns, records })
}

/** Options of every source that reads files. */
export type ReadFilesOptions = Omit<FileSourceOptions, 'maxLineBytes'>

/** What they accept. */
export const READ_FILES_OPTIONS: Checks<ReadFilesOptions> = {
  maxRatio(name, value) {
    if (typeof value === 'number' && value >= 1) return
    throw new RangeError(`${name} must be a number, 1 or more: found ${describeValue(value)}`)
  },
  maxTotalBytes: integerOrNone(1),
  splitBytes: integerOrNone(1),
  maxFiles: integer(1),
  allowSpecial: anything,
  encoding: anything,
  malformed: choice(...MALFORMED),
  unreadable: choice('fail', 'skip'),
  copies: choice(...COPIES),
}

/** A limit on a record's length: no longer than a string can be. */
export const RECORD_BYTES: Check = integer(1, MAX_STRING_LENGTH)

/** Options of `fileSource` itself. */
export const FILES_OPTIONS: Checks<FileSourceOptions> = { maxLineBytes: RECORD_BYTES, ...READ_FILES_OPTIONS }

/** Those of them that the options of a source hold. */
export function readFilesOptions(options: ReadFilesOptions): ReadFilesOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => Object.hasOwn(READ_FILES_OPTIONS, name) && value !== undefined),
  )
}

export interface RecordFilesOptions<T> extends ReadFilesOptions {
  /** The kind of source. */
  readonly kind: string
  readonly columns: Columns | undefined
  readonly records: Records<T>
}

/**
 * The source of files that hold records of any kind; {@link fileSource} describes how it names, checks and resumes
 * them.
 */
export function recordFiles<T>(input: string | readonly string[], options: RecordFilesOptions<T>): Source<T> {
  const { kind, columns } = options
  checkInput(kind, input)
  const charset = charsetOf(options.encoding)
  const records = textRecords(options.records, charset)
  const settings: Settings = {
    limits: {
      maxRatio: options.maxRatio,
      maxTotalBytes: options.maxTotalBytes ?? DEFAULT_LIMITS.maxTotalBytes,
    },
    // Line ends of several bytes cannot be searched from the middle of a file.
    splitBytes: charset?.unitBytes === 2 ? Number.POSITIVE_INFINITY : (options.splitBytes ?? Number.POSITIVE_INFINITY),
    allowSpecial: options.allowSpecial ?? false,
    maxFiles: options.maxFiles,
    unreadable: options.unreadable ?? 'fail',
    copies: options.copies,
    hasOthers: typeof input !== 'string' || /[,*?[{(]/.test(input),
    marks: new LineMarks(),
    shared: new SharedFiles(PART_IDS),
  }
  const named = typeof input === 'string' ? input : input.join(', ')
  const again = new Again(records, charset)
  return {
    kind,
    title: `${named} as ${records.name}`,
    ...deliveryOf(input, settings),
    // What can be read once cannot be listed by several.
    ...(deliveryOf(input, settings).isCounted ? {} : { shared: settings.shared }),
    ...(columns === undefined ? {} : { columns }),
    splits: async (waiting) => (await list(input, settings, new Map(), waiting)).map(({ split }) => split),
    resume: async (positions, waiting) => await list(input, settings, positions, waiting),
    open: async (split, from, waiting = {}) => {
      waiting.signal?.throwIfAborted()
      const position = from === undefined ? undefined : parsePosition(split.id, from)
      try {
        return await openSplit(split.id, records, settings, position, waiting)
      } catch (thrown) {
        return passOver(split.id, records.name, settings, position, thrown, waiting.onNote)
      }
    },
    reparse: (origin, reason) => again.read(origin, reason),
    over: (files) => recordFiles(files, options),
  }
}

/** Standard input and pipes can be read once: what was emitted and not committed is lost. */
function deliveryOf(
  input: string | readonly string[],
  { allowSpecial }: Settings,
): Pick<Source<unknown>, 'delivery' | 'provided' | 'isCounted'> {
  const names = typeof input === 'string' ? splitAtCommas(input) : input
  if (names.some((name) => name.trim() === '-')) return { delivery: 'at-most-once', isCounted: true }
  return allowSpecial ? { provided: 'but for pipes, of which what was not committed is lost', isCounted: true } : {}
}

interface Settings {
  readonly limits: Limits
  readonly splitBytes: number
  readonly allowSpecial: boolean
  readonly maxFiles: number | undefined
  readonly unreadable: 'fail' | 'skip'
  readonly copies: Copies | undefined
  /** Whether other files may be read. */
  readonly hasOthers: boolean
  readonly marks: LineMarks
  readonly shared: SharedFiles
}

const PART_IDS: PartIds = {
  pathOf: (id) => parsePartId(id).path,
  withPath: (id, path) => partId(path, parsePartId(id).range),
}

function checkInput(kind: string, input: unknown): void {
  const names = typeof input === 'string' ? [input] : input
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new TypeError(`${kind} reads a text or an array of texts: found ${describeValue(input)}`)
  }
  const isEmpty = names.length === 0 || names.every((name) => name.replaceAll(',', '').trim() === '')
  if (!isEmpty) return
  const message = `Cannot read files: no path or glob is named, found ${describeValue(input)}`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'input', value: input, allowed: 'paths, globs, or -' })
}

/** What there is to read, for files that earlier runs may have read under other names and in other parts. */
async function list(
  input: string | readonly string[],
  settings: Settings,
  positions: ReadonlyMap<string, Position>,
  { signal, onNote }: OpenOptions = {},
): Promise<ResumedSplit[]> {
  const readBefore = new ReadFiles(positions)
  const { allowSpecial, maxFiles } = settings
  const isKnown = (path: string): boolean => readBefore.hasPath(path)
  // Skipped files were noted when they were first listed.
  const listing = positions.size === 0 ? { onNote } : {}
  const found = await listFiles(input, { allowSpecial, maxFiles, signal, isKnown, ...listing })
  settings.shared.listed(found)
  const read = new Map<FoundFile, readonly ReadPart[]>()
  for (const one of found) if (one.kind === 'file') read.set(one, await readBefore.partsOf(one, found))
  const moved = await movedFiles({
    all: found,
    unknown: [...read].flatMap(([file, parts]) => (parts.length === 0 ? [file] : [])),
    read: readBefore.readBytes,
    holds: (file, path) => readBefore.holds(file, path),
    isThere: (path) => readBefore.isThere(path),
    copies: settings.copies,
    onNote,
  })
  const splits: ResumedSplit[] = []
  for (const one of found) {
    signal?.throwIfAborted()
    if (one.kind === 'file') {
      const before = moved.get(one.path)
      const parts = before === undefined ? read.get(one) : readBefore.partsNamed(before)
      splits.push(...(await splitsOf(one, settings, parts ?? [])))
    } else {
      const id = one.kind === 'stdin' ? STDIN : partId(one.path, WHOLE)
      splits.push({ split: { id }, from: positions.get(id) })
    }
  }
  return splits
}

async function splitsOf(
  { path, sizeBytes }: FoundFile,
  { splitBytes, unreadable }: Settings,
  read: readonly ReadPart[],
): Promise<ResumedSplit[]> {
  // A file that fits into one range is one, too: its id must stay valid when it grows.
  const isCut = splitBytes !== Number.POSITIVE_INFINITY && (read.some(hasBegun) || (await isPlain(path, unreadable)))
  return partsOf(read, sizeBytes, isCut ? splitBytes : Number.POSITIVE_INFINITY).map(({ range, from }) => ({
    split: { id: partId(path, range), sizeBytes: sizeOf(sizeBytes, range) },
    from,
  }))
}

function hasBegun({ position }: ReadPart): boolean {
  return position.line > 0 || position.offset > 0
}

async function isPlain(path: string, unreadable: Settings['unreadable']): Promise<boolean> {
  try {
    await using handle = await open(path)
    return tellEncoding(await readAt(handle, 0, MAGIC_BYTES)) === 'plain'
  } catch (thrown) {
    // Opening it reports it again; a file that is gone is skipped there.
    if (unreadable === 'skip' || errnoOf(thrown) === 'ENOENT') return false
    throw cannotRead(path, 0, thrown)
  }
}

async function openSplit<T>(
  id: string,
  records: Records<T>,
  settings: Settings,
  from: FilePosition | undefined,
  { signal, onNote }: OpenOptions,
): Promise<SplitReader<T>> {
  const { hint } = records
  const onRefused = (note: string): void => onNote?.(hint === undefined ? note : `${note}: ${hint}`)
  const common = { records, limits: settings.limits, from, signal, onRefused }
  if (id === STDIN) return await openStream({ ...common, ...openStandardInput(), name: STDIN })
  const { path, range } = parsePartId(id)
  if (settings.allowSpecial && isWhole(range) && (await isSpecial(path))) {
    const stream = createReadStream(path)
    // Not awaited: the read of a pipe with a silent writer ends only with the writer.
    return await openStream({ ...common, stream, name: path, release: async () => void stream.destroy() })
  }
  return await openFile({ ...common, path, range: isWhole(range) ? undefined : range, marks: settings.marks })
}

/** What becomes of a file that could not be opened: one that is gone, or may be skipped, is skipped. */
function passOver<T>(
  id: string,
  step: string,
  { unreadable, hasOthers }: Settings,
  from: FilePosition | undefined,
  thrown: unknown,
  onNote: (note: string) => void = () => {},
): SplitReader<T> {
  if (!isSluiceError(thrown) || id === STDIN) throw thrown
  const { path } = parsePartId(id)
  if (thrown.code === 'SOURCE_MISSING' && hasOthers) {
    const note = `${quotePath(path)} is gone since it was listed: it is skipped`
    onNote(note)
    return passedOver({ path, step, from, note })
  }
  if (!UNREADABLE.includes(thrown.code)) throw thrown
  if (unreadable === 'skip') {
    onNote(`${thrown.message}: it is skipped, and will be tried in the next run`)
    return passedOver({ path, step, from, reason: thrown.message })
  }
  if (!hasOthers) throw thrown
  const message = `${thrown.message} (unreadable: 'skip' continues with the other files)`
  const failure: SluiceError = thrown
  throw new SluiceError(failure.code, message, failure.details, { cause: failure.cause })
}

async function isSpecial(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile()
  } catch (thrown) {
    throw cannotRead(path, 0, thrown)
  }
}

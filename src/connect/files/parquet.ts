// The source of rows of Parquet files.

import type { FileHandle } from 'node:fs/promises'
import { describeValue } from '../../base/check.ts'
import { type Checks, checkOptions, choice, integer, trueOrFalse } from '../../base/options.ts'
import type { ColumnType } from '../column.ts'
import { addColumns, chosenColumns, columnsOf } from '../formats/parquet/columns.ts'
import { type ColumnValues, type ValueChoices, valuesOf } from '../formats/parquet/conversion.ts'
import { corruptParquet, isDamage } from '../formats/parquet/errors.ts'
import { type ParquetFile, ParquetFiles } from '../formats/parquet/file.ts'
import type { RowGroup, SchemaElement } from '../formats/parquet/footer.ts'
import { groupId, KnownFiles, parseGroupId } from '../formats/parquet/known.ts'
import { identityHash, lost, rowsDone } from '../formats/parquet/position.ts'
import { guarded, ParquetReader } from '../formats/parquet/reader.ts'
import { RowGroupReader } from '../formats/parquet/row-group.ts'
import { COPY_IT, type FoundFile, type ListOptions, listFiles, refuseSpecial } from '../kits/files/list.ts'
import { COPIES, type Copies, movedFiles } from '../kits/files/moved.ts'
import { nothingNew } from '../kits/files/records/line-reader.ts'
import { SharedFiles } from '../kits/files/shared.ts'
import type { OpenOptions, Position, ResumedSplit, Source, Split, SplitReader } from '../source.ts'

export interface ParquetSourceOptions {
  /** The columns to read: all by default. */
  readonly columns?: readonly string[]
  /**
   * What timestamps become: epoch milliseconds (`ms`, the default), microseconds or nanoseconds, or ISO 8601 with all
   * their digits (`text`). A finer timestamp makes a dead letter of its row.
   */
  readonly times?: 'ms' | 'us' | 'ns' | 'text'
  /** What decimals become: a string of digits (`text`, the default), or `{ unscaled, scale }` with a bigint. */
  readonly decimals?: 'text' | 'bigint'
  /** Whether untyped byte arrays are text, as some old writers left them. False by default. */
  readonly binaryAsText?: boolean
  /** The most files to read. 100,000 by default. */
  readonly maxFiles?: number
  /** The most bytes of pages and dictionaries that one reader holds at a time: 128 MiB by default. */
  readonly maxHeldBytes?: number
  /**
   * What becomes of files in another folder with the names and content of files that were read, as for {@link
   * fileSource}.
   */
  readonly copies?: Copies
}

const OPTIONS: Checks<ParquetSourceOptions> = {
  columns(_name, value) {
    if (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')) return
    throw new TypeError(`columns of parquet must be names: found ${describeValue(value)}`)
  },
  times: choice('ms', 'us', 'ns', 'text'),
  decimals: choice('text', 'bigint'),
  binaryAsText: trueOrFalse,
  maxFiles: integer(1),
  maxHeldBytes: integer(1024 * 1024),
  copies: choice(...COPIES),
}

const DEFAULT_MAX_HELD_BYTES = 128 * 1024 * 1024

/**
 * Reads the rows of Parquet files, by path or glob.
 *
 * - **Codecs**: none, Snappy, gzip, Brotli, Zstandard, LZ4 (raw and in Hadoop's framing). LZO and encrypted files are
 *   rejected.
 * - **Values** are exact, or their row is a dead letter: 64-bit integers are numbers, and bigints beyond 2^53; decimals
 *   are strings of digits; timestamps are epoch milliseconds (`times`); dates, times of day, UUIDs and enums are texts;
 *   byte arrays without a type are Uint8Arrays; JSON is parsed, with bigints where it takes them; lists are arrays,
 *   structures objects, maps arrays of `{ key, value }`, intervals `{ months, days, milliseconds }`.
 * - **Columns** reach the sink as the files have them, if the flow keeps the rows; files of several schemas are
 *   combined.
 * - **Splits** are row groups, so that several threads read one file. All page headers of a row group, and the
 *   checksums of pages that have one, are checked before its first row is emitted.
 * - **Resumes** after the last row, in the same file: one that has changed is rejected.
 * - **Memory**: rows are made a thousand at a time, from pages that are held one per column, large ones in pieces;
 *   beyond `maxHeldBytes` the file is rejected.
 *
 * @throws {TypeError | RangeError} for invalid options; then SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_CORRUPT,
 *   SOURCE_LIMIT, POSITION_LOST
 * @example
 * parquetSource('trips/*.parquet', { times: 'us' }).title // => 'trips/*.parquet as Parquet'
 */
export function parquetSource<Row = Record<string, unknown>>(
  input: string | readonly string[],
  options: ParquetSourceOptions = {},
): Source<Row> {
  checkOptions('parquetSource', options, OPTIONS)
  const { columns, times = 'ms', decimals = 'text', binaryAsText = false, copies, maxFiles } = options
  const { maxHeldBytes: limit = DEFAULT_MAX_HELD_BYTES } = options
  const reading: Reading = { columns, choices: { times, decimals, binaryAsText }, limit }
  const files = new ParquetFiles(limit)
  /** Path → the file's identity when it was listed, or first opened. */
  const seen = new Map<string, string>()
  const shared = new SharedFiles({
    pathOf: (id) => parseGroupId(id).path,
    withPath: (id, path) => groupId(path, parseGroupId(id).index),
  })
  const list = async (positions: ReadonlyMap<string, Position>, { signal, onNote }: OpenOptions = {}) => {
    const known = new KnownFiles(positions)
    const splits: ResumedSplit[] = []
    // Skipped files were noted when they were first listed.
    const listing = positions.size === 0 ? { onNote } : {}
    const found = await foundIn(input, { signal, maxFiles, ...listing, isKnown: (path) => known.hasPath(path) })
    shared.listed(found)
    const moved = await movedFiles({
      all: found,
      unknown: found.filter((one) => !known.has(one)),
      read: known.readBytes,
      holds: async ({ path }, before) => known.holds(await files.look(path), before),
      isThere: async (path) =>
        await files.look(path).then(
          (file) => known.holds(file, path),
          () => false, // It is gone, or has changed.
        ),
      copies,
      onNote,
    })
    for (const { path } of found) {
      const file = await files.look(path)
      seen.set(file.path, identityHash(file.identity))
      const before = moved.get(path)
      const read = before === undefined ? known.positionsOf(file, file.id) : known.positionsNamed(before)
      for (const [index, { bytes }] of groupsOf(file).entries()) {
        splits.push({ split: { id: groupId(file.path, index), sizeBytes: bytes }, from: read.get(index) })
      }
    }
    return splits
  }
  return {
    kind: 'parquet',
    isTabular: true,
    title: `${typeof input === 'string' ? input : input.join(', ')} as Parquet`,
    shared,
    splits: async (waiting) => (await list(new Map(), waiting)).map(({ split }) => split),
    resume: async (positions, waiting) => await list(positions, waiting),
    async findColumns({ signal } = {}) {
      const known = new Map<string, ColumnType>()
      for (const { path } of await foundIn(input, { signal, maxFiles })) {
        const file = await files.look(path)
        sound(file, () => addColumns(known, chosenColumns(file.schema, columns), reading.choices))
      }
      return known.size === 0 ? undefined : columnsOf(known)
    },
    open: (split, from, opening = {}) => openGroup<Row>({ files, seen, reading }, split, from, opening),
    over: (others) => parquetSource<Row>(others, options),
  }
}

interface Reading {
  readonly columns: readonly string[] | undefined
  readonly choices: ValueChoices
  readonly limit: number
}

interface Shared {
  readonly files: ParquetFiles
  readonly seen: Map<string, string>
  readonly reading: Reading
}

async function openGroup<Row>(
  { files, seen, reading }: Shared,
  { id }: Split,
  from: Position | undefined,
  { signal }: OpenOptions,
): Promise<SplitReader<Row>> {
  signal?.throwIfAborted()
  const { path, index } = parseGroupId(id)
  const { handle, file } = await files.open(path)
  let rows: RowGroupReader | undefined
  try {
    const group = groupsOf(file)[index]
    const done = from === undefined ? 0 : rowsDone(path, from, file.identity, group?.rows ?? 0)
    const hash = identityHash(file.identity)
    if (group === undefined || (seen.get(path) ?? hash) !== hash)
      throw lost(path, done, 'it was replaced since the run began')
    seen.set(path, hash)
    if (from !== undefined && done === group.rows) {
      await handle.close()
      return nothingNew(`nothing new since row ${group.from + done}`, from, group.bytes)
    }
    const { limit } = reading
    const opened = sound(file, () => rowsOf(reading, handle, file, group))
    rows = opened
    await guarded({ file, rows, limit }, async () => {
      await opened.verify()
      await opened.skip(done)
    })
    signal?.throwIfAborted()
    const names = chosenColumns(file.schema, reading.columns).map(({ name }) => name)
    return new ParquetReader<Row>({ file, group, rows, handle, names, done, limit, signal })
  } catch (thrown) {
    await rows?.close()
    await handle.close()
    throw thrown
  }
}

function rowsOf(
  { columns, choices, limit }: Reading,
  handle: FileHandle,
  file: ParquetFile,
  group: RowGroup,
): RowGroupReader {
  const valuesAt = (place: number): ColumnValues =>
    valuesOf(file.schema.leaves[place]?.element as SchemaElement, choices)
  return new RowGroupReader({ handle, file, group, columns: chosenColumns(file.schema, columns), valuesAt, limit })
}

async function foundIn(
  input: string | readonly string[],
  listing: Omit<ListOptions, 'allowSpecial'>,
): Promise<FoundFile[]> {
  const found = await listFiles(input, { allowSpecial: undefined, ...listing })
  return found.map((one) => {
    if (one.kind !== 'file') throw refuseSpecial('-', 'stream', COPY_IT)
    return one
  })
}

/** The row groups of a file; one without rows for a file that has none, so that its name has a position. */
function groupsOf({ footer: { groups } }: ParquetFile): readonly RowGroup[] {
  return groups.length === 0 ? [{ from: 0, rows: 0, bytes: 0, at: 0 }] : groups
}

/** Uses the footer of a file. */
function sound<T>({ path, footerAt }: ParquetFile, act: () => T): T {
  try {
    return act()
  } catch (thrown) {
    throw isDamage(thrown) ? corruptParquet(path, footerAt, thrown.message, thrown) : thrown
  }
}

// The source that follows log files as they grow and rotate: each line once.

import { dirname, resolve } from 'node:path'
import { describeValue } from '../../base/check.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { SluiceError } from '../../base/errors.ts'
import { anything, type Checks, checkOptions, choice, integer, milliseconds } from '../../base/options.ts'
import type { LineFormat } from '../format.ts'
import { DEFAULT_LIMITS, type Limits } from '../kits/files/bytes/limits.ts'
import { charsetOf } from '../kits/files/characters/charset.ts'
import { quotePath } from '../kits/files/errors.ts'
import { checkIsFile, folderOf, splitAtCommas, statIfThere } from '../kits/files/list.ts'
import { MAX_LINE_BYTES } from '../kits/files/records/line-cutter.ts'
import { MALFORMED, type Malformed } from '../kits/files/records/raw.ts'
import type { OpenOptions, Source } from '../source.ts'
import { Lister } from './following/lister.ts'
import { resumedTail, TAIL } from './following/other-tails.ts'
import { parseTailPosition } from './following/place.ts'
import { TailReader } from './reader.ts'

export interface TailSourceOptions {
  /**
   * Where the first run begins in existing files: at their start, or after their last whole line. `start` by default.
   */
  readonly from?: 'start' | 'end'
  /**
   * Globs of the names that files get when they are rotated, to continue there after a pause. By default files next to
   * a file with its name followed by a number, a date, `old`, `bak` or `prev`, compressed or not: `app.log.1`,
   * `app.log.2.gz`, `app.log-20260101`.
   */
  readonly rotated?: string | readonly string[]
  /** How often to scan for files, in milliseconds. 250 by default. */
  readonly pollMs?: number
  /**
   * How long a rotated file must be unchanged before it counts as complete, and how long a missing one is searched for,
   * in milliseconds. 2,000 by default.
   */
  readonly graceMs?: number
  /** The most files that are followed, including rotated ones. 100,000 by default. */
  readonly maxFiles?: number
  /** The most files that are kept open. 16 by default. */
  readonly maxOpenFiles?: number
  /** The longest line in bytes, without its line end; a longer one is a dead letter. 1 MiB by default. */
  readonly maxLineBytes?: number
  /** The encoding of the text, as `TextDecoder` calls it: `latin1`, `utf-16le`. UTF-8 by default. */
  readonly encoding?: string
  /**
   * A line with invalid bytes in that encoding: `escape` makes `\\xNN` of each byte, `reject` a dead letter of the
   * line, `replace` U+FFFD of the bytes. By default lines of JSON are rejected, all others escaped.
   */
  readonly malformed?: Malformed
  /** The clock that measures waits. The system's by default. */
  readonly clock?: Clock
}

/** Node's longest string: a longer line could not become one. */
const MAX_STRING_LENGTH = 0x1fffffe8

const OPTIONS: Checks<TailSourceOptions> = {
  from: choice('start', 'end'),
  rotated: anything,
  pollMs: milliseconds(1),
  graceMs: milliseconds(),
  maxFiles: integer(1),
  maxOpenFiles: integer(1),
  maxLineBytes: integer(1, MAX_STRING_LENGTH),
  encoding: anything,
  malformed: choice(...MALFORMED),
  clock: anything,
}

const LIMITS: Limits = { ...DEFAULT_LIMITS, option: 'fileSource() has an option for more' }

/**
 * Follows log files as they grow and rotate. It never ends by itself.
 *
 * - **Names**: paths or globs, as for `fileSource` (an array has one per element). Files may be created later, if their
 *   folder exists.
 * - **Lines** are as `fileSource` reads them, but a line without its line end is only returned once that has been
 *   written, or its file is finished.
 * - **Rotation**: by renaming, or by copying and truncating, with or without compression, while reading and between two
 *   runs. The old file is read to its end before the new one, which is held open meanwhile: it may be rotated in turn,
 *   under any name. A file is finished once another has taken its place and it has not changed for `graceMs`; if it
 *   grows after that, it is read on.
 * - **A file is identified by its content**: its first 4 KiB, and the bytes before the position reached. One that was
 *   renamed, copied or compressed is the same file, and is not read again; a replacement with other content is read
 *   from its start, whatever its size and inode.
 * - **Rotated files** that existed before the first run are not read, unless they are named.
 * - **Origins** name the path that a file is followed under, whatever its current name; the second file under that name
 *   is `app.log#2`, and so on, so that no two lines have the same file and offset.
 * - **Position**: the followed files, and those finished last; it does not grow with time. A later run may name others:
 *   files that both name continue, and those that only the later one names are read from their start.
 *
 * What cannot be read is lost: lines that were cut off a file before they were read, and that are in no copy of it
 * (with copying and truncating, what is written between the two). NUL bytes at the start of a file are skipped. Two
 * files with the same content count as one.
 *
 * Memory is bounded by `maxOpenFiles` incomplete lines, each up to twice `maxLineBytes`, and one block; plus a few
 * hundred bytes per followed file.
 *
 * @throws {TypeError | RangeError} for unknown options, or values out of range
 * @throws {SluiceError} CONFIG_INVALID if no file is named; then, from `splits`, `open` and `read`: SOURCE_MISSING if
 *   the folder does not exist, SOURCE_UNREADABLE, POSITION_LOST
 * @example
 * const lines = { name: 'lines', open: () => (text: string) => text }
 * const logs = tailSource('/var/log/app.log', lines, { from: 'end' })
 * logs.title // => '/var/log/app.log as lines, as it grows'
 * logs.isUnbounded // => true
 * (await logs.splits()).map((split) => split.id) // => ['tail:/var/log/app.log']
 */
export function tailSource<T>(
  input: string | readonly string[],
  format: LineFormat<T>,
  options: TailSourceOptions = {},
): Source<T> {
  const patterns = patternsIn('input', input)
  checkOptions('tailSource', options, OPTIONS)
  const rotated = options.rotated === undefined ? undefined : patternsIn('rotated', options.rotated)
  const text = { charset: charsetOf(options.encoding), malformed: options.malformed ?? format.malformed ?? 'escape' }
  const folder = process.cwd()
  const id = `${TAIL}${patterns.map((pattern) => resolve(folder, pattern)).join(',')}`
  return {
    kind: 'tail',
    title: `${patterns.join(', ')} as ${format.name}, as it grows`,
    isUnbounded: true,
    provided: 'except what is cut off before it is read',
    ...(format.columns === undefined ? {} : { columns: format.columns }),
    format,
    splits: async ({ signal }: OpenOptions = {}) => {
      for (const pattern of patterns) {
        signal?.throwIfAborted()
        await checkThere(pattern, resolve(folder, pattern))
      }
      return [{ id }]
    },
    resume: async (positions) => [resumedTail(id, positions)],
    open: async (split, from, { signal, onNote = () => {} }: OpenOptions = {}) => {
      signal?.throwIfAborted()
      return new TailReader({
        format,
        lister: new Lister({ live: patterns, rotated, folder, maxFiles: options.maxFiles }),
        clock: options.clock ?? systemClock,
        limits: LIMITS,
        maxLineBytes: options.maxLineBytes ?? MAX_LINE_BYTES,
        text,
        maxOpenFiles: options.maxOpenFiles ?? 16,
        pollMs: options.pollMs ?? 250,
        graceMs: options.graceMs ?? 2000,
        from: options.from ?? 'start',
        position: from === undefined ? undefined : parseTailPosition(split.id, from),
        signal,
        onNote,
      })
    },
  }
}

function patternsIn(key: string, input: unknown): string[] {
  const names = typeof input === 'string' ? splitAtCommas(input).map((name) => name.trim()) : input
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new TypeError(`${key} of tailSource must be a text or an array of texts: found ${describeValue(input)}`)
  }
  const patterns = names.filter((name) => name.trim() !== '')
  if (patterns.length > 0 && !patterns.includes('-')) return patterns
  const found =
    patterns.length === 0
      ? `no path or glob is named, found ${describeValue(input)}`
      : 'standard input does not rotate, read it with fileSource'
  throw new SluiceError('CONFIG_INVALID', `Cannot follow files: ${found}`, {
    key,
    value: input,
    allowed: 'paths or globs',
  })
}

/** A file may be created later, but not its folder: that is a mistake in the name. */
async function checkThere(pattern: string, path: string): Promise<void> {
  const stats = await statIfThere(path)
  if (stats !== undefined) return checkIsFile('follow', pattern, stats)
  const folder = folderOf(path) ?? dirname(path)
  if ((await statIfThere(folder)) !== undefined) return
  const message = `Cannot follow ${quotePath(pattern)}: there is no folder ${quotePath(folder)}`
  throw new SluiceError('SOURCE_MISSING', message, { source: pattern })
}

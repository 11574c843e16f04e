// The source that goes on: the lines of log files as they grow and rotate, each once.

import { dirname, resolve } from 'node:path'
import { describeValue } from '../../base/check.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { SluiceError } from '../../base/errors.ts'
import { anything, type Checks, checkOptions, choice, integer, milliseconds } from '../../base/options.ts'
import type { LineFormat } from '../format.ts'
import { DEFAULT_LIMITS, type Limits } from '../kits/files/bytes/limits.ts'
import { charsetOf } from '../kits/files/characters/charset.ts'
import { quotePath } from '../kits/files/errors.ts'
import { folderOf, specialKind, splitAtCommas, statIfThere } from '../kits/files/list.ts'
import { MAX_LINE_BYTES } from '../kits/files/records/line-cutter.ts'
import { MALFORMED, type Malformed } from '../kits/files/records/raw.ts'
import type { OpenOptions, Source } from '../source.ts'
import { Lister } from './following/lister.ts'
import { resumedTail, TAIL } from './following/other-tails.ts'
import { parseTailPosition } from './following/place.ts'
import { TailReader } from './reader.ts'

export interface TailSourceOptions {
  /** Where the first run begins in files that are there: at their start, or behind their last whole line. `start` by default. */
  readonly from?: 'start' | 'end'
  /**
   * Globs of what the files become when they are rotated, to go on there after a time of not reading. By default what
   * stands beside a file under its name with a number, a date, `old`, `bak` or `prev` behind it, compressed or not:
   * `app.log.1`, `app.log.2.gz`, `app.log-20260101`.
   */
  readonly rotated?: string | readonly string[]
  /** How often files are looked for, in milliseconds. 250 by default. */
  readonly pollMs?: number
  /**
   * How long a file that was rotated away must stay as it is before it is taken to be complete, and how long one that is
   * gone is looked for, in milliseconds. 2,000 by default.
   */
  readonly graceMs?: number
  /** Most files that are followed, with those that they have become. 100,000 by default. */
  readonly maxFiles?: number
  /** Most files that are kept open. 16 by default. */
  readonly maxOpenFiles?: number
  /** Longest line in bytes, without its line end; a longer one is a dead letter. 1 MiB by default. */
  readonly maxLineBytes?: number
  /** The encoding of the text, as `TextDecoder` calls it: `latin1`, `utf-16le`. UTF-8 by default. */
  readonly encoding?: string
  /**
   * What becomes of a line with bytes that are not text in that encoding: `escape` makes `\\xNN` of each byte, `reject` a dead
   * letter of the line, `replace` U+FFFD of the bytes. By default lines of JSON are rejected, all others escaped.
   */
  readonly malformed?: Malformed
  /** What waits are measured by. The system's by default. */
  readonly clock?: Clock
}

/** No string of Node's is longer: a line over it could not become one. */
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
 * - **Names**: paths or globs, as `files` takes them (an array holds one in each element). Files that are not there yet
 *   are waited for, as long as their folder is there.
 * - **Lines** are as `files` reads them, but one without its line end is not given before that comes, or before its file
 *   is finished.
 * - **Rotation**: by renaming, by copying and cutting, with or without compression, while reading and between two runs.
 *   The old file is read to its end before the new one, which is held open meanwhile: it may be rotated away in its turn,
 *   under any name. A file is finished once another stands in its place and it has not changed for `graceMs`; should it
 *   grow after that, it is read on.
 * - **A file is known by its content**: its first 4 KiB, and the bytes before the place that was reached. One that was
 *   renamed, copied or compressed is the same file, and is not read again; what stands in its place with another content
 *   is read from its start, whatever its size and inode.
 * - **Rotated files** that were there before the first run are not read, unless they are named.
 * - **Origins** name the path that a file is followed under, whatever it is called now; the second file under that name
 *   is `app.log#2`, and so on, so that no two lines have the same file and offset.
 * - **Position**: of the files that are followed, and of the last that were finished; it does not grow with time. A later
 *   run may name others: files that both name go on, and those that only the later one names are read from their start.
 *
 * What cannot be read is lost: lines that were cut off a file before they were read, and that are in no copy of it (with
 * copying and cutting, what is written between the two). NUL bytes that a file begins with are left out. Two files with the same content are taken for one.
 *
 * Memory is bounded by `maxOpenFiles` lines that are not complete, each up to twice `maxLineBytes`, and one block; with
 * a few hundred bytes for each file that is followed.
 *
 * @throws {TypeError | RangeError} for options that there are not, or out of their bounds
 * @throws {SluiceError} CONFIG_INVALID if no file is named; then, from `splits`, `open` and `read`: SOURCE_MISSING if the
 *   folder is not there, SOURCE_UNREADABLE, POSITION_LOST
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
    provided: 'but for what is cut off before it is read',
    ...(format.columns === undefined ? {} : { columns: format.columns }),
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
    throw new TypeError(`${key} of tail must be a text or an array of texts: found ${describeValue(input)}`)
  }
  const patterns = names.filter((name) => name.trim() !== '')
  if (patterns.length > 0 && !patterns.includes('-')) return patterns
  const found =
    patterns.length === 0
      ? `no path or glob is named, found ${describeValue(input)}`
      : 'standard input does not rotate, read it with files'
  throw new SluiceError('CONFIG_INVALID', `Cannot follow files: ${found}`, {
    key,
    value: input,
    allowed: 'paths or globs',
  })
}

/** A file may come, but not its folder: that is a mistake in the name. */
async function checkThere(pattern: string, path: string): Promise<void> {
  const stats = await statIfThere(path)
  if (stats?.isFile() === true) return
  if (stats?.isDirectory() === true) {
    const message = `Cannot follow ${quotePath(pattern)}: it is a directory, name the files in it (EISDIR)`
    throw new SluiceError('SOURCE_UNREADABLE', message, { source: pattern, offset: 0, errno: 'EISDIR' })
  }
  if (stats !== undefined) {
    const message = `Cannot follow ${quotePath(pattern)}: it is a ${specialKind(stats)}, not a file`
    throw new SluiceError('SOURCE_UNREADABLE', message, { source: pattern, offset: 0, errno: 'unknown' })
  }
  const folder = folderOf(path) ?? dirname(path)
  if ((await statIfThere(folder)) !== undefined) return
  const message = `Cannot follow ${quotePath(pattern)}: there is no folder ${quotePath(folder)}`
  throw new SluiceError('SOURCE_MISSING', message, { source: pattern })
}

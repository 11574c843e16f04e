// The contract between files and their content: how content is cut into records, and what each becomes.

import type { LineFormat, ParseLine } from '../../../format.ts'
import type { Scan } from '../../../scan.ts'
import type { Cutter, CutterStart } from './cutter.ts'
import { headLines } from './head-lines.ts'
import { LineCutter } from './line-cutter.ts'
import type { Malformed } from './raw.ts'

/** The beginning of content. */
export interface ContentHead {
  /** The file, for errors. */
  readonly path: string
  /** The first bytes, at least up to 4 KiB. */
  readonly start: Buffer
  /** The first bytes, up to 256 KiB: read on demand. */
  readonly bytes: () => Buffer
  /** Whether those are all of the content. */
  readonly isWhole: boolean
  /** Set for bytes that are UTF-8 whatever encoding the file has: those of a stored record. */
  readonly isText?: true
}

/** Records of a kind: the same for every file of a source. */
export interface Records<T> {
  /** The step of dead letters: a format's name. */
  readonly name: string
  /** What a user can do about a file of which nearly all records are rejected. */
  readonly hint?: string | undefined
  /** What happens to records with invalid bytes. */
  readonly malformed: Malformed
  /** Set if records may begin anywhere in a line. */
  readonly beginsInLines?: true
  /** Whether these first bytes of a stream are enough for `open`. */
  isEnough(head: Buffer): boolean
  /**
   * The records of one file: the same wherever in it reading begins.
   * @throws {SluiceError} SOURCE_CORRUPT, SOURCE_LIMIT or CONFIG_INVALID if the file cannot hold such records
   */
  open(head: ContentHead): OpenRecords<T>
}

/** The records of one file. */
export interface OpenRecords<T> {
  /** Where the first record begins: after a header, if there is one. */
  readonly start: RecordStart
  /** The byte that ends lines. */
  readonly lineEnd: number
  cut(start: CutterStart): Cutter
  readonly parse: ParseLine<T>
  /** Reads many plain records at once, for one reader; absent if each is read by itself. */
  scan?(): Scan<T> | undefined
}

/** Where records of a file begin. */
export interface RecordStart {
  readonly offset: number
  readonly line: number
  /** Whether this is the rest of a line that was read without its end. */
  readonly isRest: boolean
}

/** The start of a file without a header. */
export const FILE_START: RecordStart = { offset: 0, line: 1, isRest: false }

const LF = 0x0a

/** The records of formats in which a record is a line. */
export function lineRecords<T>(
  format: LineFormat<T>,
  maxLineBytes: number,
  malformed: Malformed = format.malformed ?? 'escape',
): Records<T> {
  return {
    name: format.name,
    hint: format.hint,
    malformed,
    isEnough: (head) => head.includes(LF),
    open: ({ bytes, isWhole }) => {
      let lines: readonly string[] | undefined
      const head = (): readonly string[] => {
        lines ??= headLines(bytes(), isWhole, maxLineBytes)
        return lines
      }
      return {
        start: FILE_START,
        lineEnd: LF,
        cut: (start) => new LineCutter({ maxLineBytes, malformed, ...start }),
        parse: format.open(head),
        scan: () => format.scan?.(head),
      }
    },
  }
}

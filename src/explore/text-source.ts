// The source of a text of some kind, and its code.

import { unreachable } from '../base/invariant.ts'
import { csvSource } from '../connect/files/csv.ts'
import { jsonArraySource } from '../connect/files/json-array.ts'
import { lines } from '../connect/files/lines.ts'
import { ndjsonSource } from '../connect/files/ndjson.ts'
import { fileSource } from '../connect/files/source.ts'
import { accessLog } from '../connect/formats/access-log/format.ts'
import { syslog } from '../connect/formats/syslog/format.ts'
import type { Source } from '../connect/source.ts'
import { call, type Piece } from '../scaffold/code.ts'
import { guessCsv } from './csv.ts'
import type { TextKind } from './detect.ts'
import type { Looking } from './found.ts'

export interface TextInput {
  /** What is read to look at it. */
  readonly input: string
  /** What the code reads. */
  readonly named: string
  readonly encoding: string | undefined
  /** Whether it is large, and not compressed: parts of it are read by themselves. */
  readonly isCut: boolean
}

export interface TextSource {
  readonly words: string
  readonly source: Source<unknown>
  readonly code: Piece
  readonly hasRowType: boolean
  readonly jsonPath?: readonly string[]
}

/** A range that is worth opening. */
const RANGE_BYTES = 4 * 1024 * 1024

export async function textSource(kind: TextKind, text: TextInput, looking: Looking): Promise<TextSource> {
  const { input, named, encoding } = text
  const decoding = encoding === undefined ? {} : { encoding }
  const cut = text.isCut ? { splitBytes: RANGE_BYTES } : {}
  switch (kind.kind) {
    case 'csv': {
      const { shape } = kind
      // A line end in quotes can be recognized only by what precedes it.
      const ranges = text.isCut && !shape.hasQuotedNewlines ? { ...cut, quotedNewlines: false } : {}
      const { untilMs, signal } = looking
      const options = await guessCsv(shape, { input, encoding, cut: ranges, untilMs, signal })
      return {
        words: `CSV, separated by ${wordsOf(shape.delimiter)}`,
        source: csvSource(input, { ...options, ...ranges }),
        code: call('csvSource', [named], options),
        hasRowType: false,
      }
    }
    case 'ndjson':
      return {
        words: 'NDJSON, a JSON value in each line',
        source: ndjsonSource(input, { ...decoding, ...cut }),
        code: call('ndjsonSource<Row>', [named], decoding),
        hasRowType: true,
      }
    case 'json-array': {
      const path = kind.path.length === 0 ? {} : { path: kind.path }
      return {
        words: kind.path.length === 0 ? 'a JSON array' : `JSON with an array at ${kind.path.join('.')}`,
        source: jsonArraySource(input, { ...path, ...decoding }),
        code: call('jsonArraySource<Row>', [named], { ...path, ...decoding }),
        hasRowType: true,
        jsonPath: kind.path,
      }
    }
    case 'access-log':
      return {
        words: "access log in Apache's or nginx's format",
        source: fileSource(input, accessLog(), { ...decoding, ...cut }),
        code: call('fileSource', [named, call('accessLog', [])], decoding),
        hasRowType: false,
      }
    case 'syslog':
      return {
        words: 'syslog',
        source: fileSource(input, syslog(), { ...decoding, ...cut }),
        code: call('fileSource', [named, call('syslog', [])], decoding),
        hasRowType: false,
      }
    case 'lines':
      return {
        words: 'lines of text',
        source: lines(input, { rows: true, ...decoding }),
        code: call('lines', [named], { rows: true, ...decoding }),
        hasRowType: false,
      }
    default:
      return unreachable(kind)
  }
}

function wordsOf(delimiter: string): string {
  if (delimiter === ',') return 'commas'
  return delimiter === '\t' ? 'tabs' : `"${delimiter}"`
}

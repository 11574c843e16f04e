// The position of reading a query: how many rows were read, and which rows are the last ones.

import { createHash } from 'node:crypto'
import { SluiceError } from '../../../base/errors.ts'
import type { Json, Position } from '../../source.ts'

/** The most rows per cursor value that are remembered. */
export const MOST_TIED = 10_000

export interface Stood {
  /** Rows read by all runs. */
  readonly rows: number
  /** The cursor of the last row; undefined before the first row, and without a cursor. */
  readonly after: Json | undefined
  /** The type of the cursor, where its text does not say it. */
  readonly type?: string | undefined
  /** Digests of the rows read with that cursor; without a cursor, of the last row. Undefined: not kept. */
  readonly known: readonly string[] | undefined
}

export const BEGINNING: Stood = { rows: 0, after: undefined, known: undefined }

/** What distinguishes a row from others with the same cursor. */
export function digestOf(row: string): string {
  return createHash('sha256').update(row).digest('base64url').slice(0, 11)
}

/** How a query is read: a position must match it. */
export interface Reading {
  /** The table or query. */
  readonly source: string
  /** As in positions; undefined without a cursor. */
  readonly cursor: Json | undefined
  readonly type?: string | undefined
}

/** A stored position. */
export function toPosition(
  { cursor, type }: Pick<Reading, 'cursor' | 'type'>,
  { rows, after, known }: Stood,
): Position {
  return {
    rows,
    ...(cursor === undefined ? {} : { cursor }),
    ...(after === undefined ? {} : { after, ...(type === undefined ? {} : { type }) }),
    ...(known === undefined ? {} : { known }),
  }
}

/**
 * The content of a position; also one of earlier versions, which have no digests.
 *
 * @throws {SluiceError} POSITION_LOST if it does not belong to this query
 */
export function fromPosition(reading: Reading, from: Position | undefined): Stood {
  if (from === undefined) return BEGINNING
  const found = typeof from === 'object' && from !== null && !Array.isArray(from) ? from : undefined
  const { rows, cursor, after, type, known } = (found ?? {}) as Record<string, Json | undefined>
  const isFit = (cursor === undefined || isTexts([cursor].flat())) && (known === undefined || isTexts(known))
  if (!Number.isSafeInteger(rows) || Number(rows) < 0 || !isFit) {
    throw lost(reading, from, 'that is not a position of a query')
  }
  if (wordsOf(cursor) !== wordsOf(reading.cursor)) {
    const was = wordsOf(cursor) === '' ? 'without a cursor' : `by ${wordsOf(cursor)}`
    const is = reading.cursor === undefined ? 'without one' : `by ${wordsOf(reading.cursor)}`
    throw lost(reading, from, `it was read ${was}, and is now ${is}`)
  }
  return {
    rows: Number(rows),
    after,
    type: typeof type === 'string' ? type : undefined,
    known: known as readonly string[] | undefined,
  }
}

/** The error for a position that reading cannot continue from. */
export function lost(
  { source }: Pick<Reading, 'source'>,
  from: Json | undefined,
  found: string,
): SluiceError<'POSITION_LOST'> {
  const position = (JSON.stringify(from) ?? 'nothing').slice(0, 200)
  return new SluiceError('POSITION_LOST', `Cannot resume ${source} from ${position}: ${found}`, { source, position })
}

function wordsOf(cursor: Json | undefined): string {
  return Array.isArray(cursor) ? cursor.join(', ') : typeof cursor === 'string' ? cursor : ''
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

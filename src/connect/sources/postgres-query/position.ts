// How far reading of a query came, as JSON.

import { describeValue } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Json, Position } from '../../source.ts'

export interface QueryPosition {
  /** Rows read by all runs. */
  readonly rows: number
  /** Names of the cursor columns; empty where there are none. */
  readonly cursor: readonly string[]
  /** Their values in the last row, as the server writes them; empty before the first row. */
  readonly after: readonly string[]
}

/** A position as it is kept. */
export function toPosition({ rows, cursor, after }: QueryPosition): Position {
  return cursor.length === 0 ? { rows } : { rows, cursor, after }
}

/**
 * A position as it was kept, for a query with these cursor columns.
 *
 * @throws {SluiceError} POSITION_LOST if it is none, or of other cursor columns
 */
export function parseQueryPosition(source: string, cursor: readonly string[], from: Position): QueryPosition {
  const found = typeof from === 'object' && from !== null && !Array.isArray(from) ? from : undefined
  const { rows, cursor: names = [], after = [] } = (found ?? {}) as Record<string, Json>
  if (!Number.isSafeInteger(rows) || Number(rows) < 0 || !isTexts(names) || !isTexts(after)) {
    throw lost(source, JSON.stringify(from) ?? 'nothing', 'that is no position of a query')
  }
  if (names.join('\0') !== cursor.join('\0')) {
    const was = names.length === 0 ? 'without a cursor' : `by ${names.join(', ')}`
    const is = cursor.length === 0 ? 'without one' : `by ${cursor.join(', ')}`
    throw lost(source, JSON.stringify(from), `it was read ${was}, and is now ${is}`)
  }
  if (after.length !== 0 && after.length !== cursor.length) {
    throw lost(source, JSON.stringify(from), `it has ${after.length} values for ${cursor.length} cursor columns`)
  }
  return { rows: Number(rows), cursor, after }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string')
}

function lost(source: string, position: string, found: string): SluiceError<'POSITION_LOST'> {
  const message = `Cannot resume ${source} from ${describeValue(position)}: ${found}`
  return new SluiceError('POSITION_LOST', message, { source, position })
}

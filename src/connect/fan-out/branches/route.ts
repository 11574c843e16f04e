// Decides which of several sinks gets which row.

import { messageOf } from '../../../base/errors.ts'
import { type Batch, deadLetterAt, mapped } from '../../batch.ts'
import type { DeadLetter } from '../../origin.ts'
import type { Sink } from '../../sink.ts'

/** One more sink of a pipeline. */
export interface Branch<Row> {
  readonly into: Sink<never>
  /** Which rows go there: all by default. */
  readonly where?: (row: Row) => boolean
  /** What becomes of a row there: the row itself by default. */
  readonly map?: (row: Row) => unknown
  /**
   * How many bytes of committed rows may wait for this branch before the pipeline waits for it: 64 MiB by default; 0 to
   * wait for it after every epoch. One more epoch may be under way.
   */
  readonly mayLagBytes?: number
}

/** The rows of one batch by where they go. */
export interface Routed<Row> {
  readonly first: Batch<Row>
  /** Branch by branch, in their order. */
  readonly branches: readonly Batch[]
  readonly letters: readonly DeadLetter[]
}

const STEP = 'route'

/** Rows that go to one branch: their indices in the batch, and what goes there for each. */
interface Placed {
  readonly indices: number[]
  readonly values: unknown[]
}

/**
 * Decides where rows go. A row goes to all sinks that take it, or, if anything throws, to none.
 *
 * @param isFirst - which rows the first sink takes
 */
export function route<Row>(
  rows: Batch<Row>,
  isFirst: ((row: Row) => boolean) | undefined,
  branches: readonly Branch<Row>[],
): Routed<Row> {
  const first: number[] = []
  const placed = branches.map((): Placed => ({ indices: [], values: [] }))
  const letters: DeadLetter[] = []
  for (const [at, row] of rows.values().entries()) {
    try {
      const goesFirst = isFirst?.(row) ?? true
      const taken: (readonly [Placed, unknown])[] = []
      for (const [branch, { where, map }] of branches.entries()) {
        if (where?.(row) !== false) taken.push([placed[branch] as Placed, map === undefined ? row : map(row)])
      }
      // Not before all have decided: a row goes to all that take it, or to none.
      if (goesFirst) first.push(at)
      for (const [{ indices, values }, value] of taken) {
        indices.push(at)
        values.push(value)
      }
      if (!goesFirst && taken.length === 0) letters.push(deadLetterAt(rows, at, STEP, 'no sink takes it'))
    } catch (error) {
      letters.push(deadLetterAt(rows, at, STEP, messageOf(error)))
    }
  }
  const routed = placed.map(({ indices, values }) => mapped(rows, values, indices))
  return { first: rows.select(first), branches: routed, letters }
}

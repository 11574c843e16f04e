// Which of several sinks takes which row.

import { messageOf } from '../../../base/errors.ts'
import { type Batch, letterAt, mapped } from '../../batch.ts'
import type { DeadLetter } from '../../origin.ts'
import type { Sink } from '../../sink.ts'

/** One more sink of a pipeline. */
export interface Branch<Row> {
  readonly into: Sink<never>
  /** Which rows go there: all by default. */
  readonly where?: (row: Row) => boolean
  /** What goes there of a row: the row by default. */
  readonly map?: (row: Row) => unknown
  /**
   * How many bytes of committed rows may wait for this branch before the pipeline waits for it: 64 MiB by default; 0 to
   * wait for it after every epoch. One epoch more may be under way.
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

/** Rows that go to one branch: their indices in the batch, and what goes there of each. */
interface Placed {
  readonly indices: number[]
  readonly values: unknown[]
}

/** Tells where rows go. A row goes to all that take it, or, where anything throws, to none. */
export class Router<Row> {
  readonly #where: ((row: Row) => boolean) | undefined
  readonly #branches: readonly Branch<Row>[]

  constructor(where: ((row: Row) => boolean) | undefined, branches: Iterable<Branch<Row>>) {
    this.#where = where
    this.#branches = [...branches]
  }

  route(rows: Batch<Row>): Routed<Row> {
    const first: number[] = []
    const placed = this.#branches.map((): Placed => ({ indices: [], values: [] }))
    const letters: DeadLetter[] = []
    for (let at = 0; at < rows.length; at += 1) {
      try {
        if (!this.#place(rows.at(at), at, first, placed)) letters.push(letterAt(rows, at, STEP, 'no sink takes it'))
      } catch (error) {
        letters.push(letterAt(rows, at, STEP, messageOf(error)))
      }
    }
    const branches = placed.map(({ indices, values }) => mapped(rows, values, indices))
    return { first: rows.select(first), branches, letters }
  }

  /** Whether anybody takes it. */
  #place(row: Row, at: number, first: number[], placed: readonly Placed[]): boolean {
    const goesFirst = this.#where?.(row) ?? true
    const taken: (readonly [Placed, unknown])[] = []
    for (const [branch, { where, map }] of this.#branches.entries()) {
      if (where?.(row) !== false) taken.push([placed[branch] as Placed, map === undefined ? row : map(row)])
    }
    // Not before all have answered: a row goes to all that take it, or to none.
    if (goesFirst) first.push(at)
    for (const [{ indices, values }, value] of taken) {
      indices.push(at)
      values.push(value)
    }
    return goesFirst || taken.length > 0
  }
}

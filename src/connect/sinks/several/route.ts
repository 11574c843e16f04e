// Which of several sinks takes which row.

import { messageOf } from '../../../base/errors.ts'
import { type DeadLetter, deadLetter, type Origin, plainOrigin, type Traced, traced } from '../../origin.ts'
import type { Sink } from '../../sink.ts'

/** One more sink of a pipeline. */
export interface Branch<Row> {
  readonly into: Sink<unknown>
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
  readonly first: Traced<Row>[]
  /** Branch by branch, in their order. */
  readonly branches: Traced<unknown>[][]
  readonly letters: DeadLetter[]
}

const STEP = 'route'

/**
 * Tells where rows go. Each gets an origin object of its own, by which it is known again. A row goes to all that take
 * it, or, where anything throws, to none.
 */
export class Router<Row> {
  readonly #where: ((row: Row) => boolean) | undefined
  readonly #branches: readonly Branch<Row>[]

  constructor(where: ((row: Row) => boolean) | undefined, branches: Iterable<Branch<Row>>) {
    this.#where = where
    this.#branches = [...branches]
  }

  route(events: readonly Traced<Row>[]): Routed<Row> {
    const routed: Routed<Row> = { first: [], branches: this.#branches.map(() => []), letters: [] }
    const origins = new Set<Origin>()
    for (const given of events) {
      const event = origins.has(given.origin) ? traced(given.value, plainOrigin(given.origin)) : given
      origins.add(given.origin)
      try {
        if (!this.#place(event, routed)) routed.letters.push(deadLetter(event.origin, STEP, 'no sink takes it'))
      } catch (error) {
        routed.letters.push(deadLetter(event.origin, STEP, messageOf(error)))
      }
    }
    return routed
  }

  /** Whether anybody takes it. */
  #place(event: Traced<Row>, { first, branches }: Routed<Row>): boolean {
    const { value, origin } = event
    const goesFirst = this.#where?.(value) ?? true
    const taken: { readonly branch: number; readonly event: Traced<unknown> }[] = []
    for (const [branch, { where, map }] of this.#branches.entries()) {
      if (where?.(value) === false) continue
      taken.push({ branch, event: map === undefined ? event : traced(map(value), origin) })
    }
    // Not before all have answered: a row goes to all that take it, or to none.
    if (goesFirst) first.push(event)
    for (const { branch, event: placed } of taken) branches[branch]?.push(placed)
    return goesFirst || taken.length > 0
  }
}

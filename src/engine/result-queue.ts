// Results of async calls: in the order of their events or as they come, with marks in their places.

import { Ring } from '../base/ring.ts'
import { type Batch, batchOf } from '../connect/batch.ts'
import type { Origin } from '../connect/origin.ts'
import type { Subscription } from '../stage/link.ts'

/** The result of a call that returns nothing: its event is counted, and no value is emitted. */
export const NOTHING: unique symbol = Symbol('nothing')

/** What can be emitted now. */
export interface Ready {
  readonly batches: readonly Batch[]
  /** The subscriptions whose events these are results of, and how many of each. */
  readonly from: ReadonlyMap<Subscription, number>
  /** Emitted after the events. */
  readonly watermark: number | undefined
}

/** Events between two marks. */
interface Segment {
  /** Reserved and not resolved. */
  open: number
  /** The mark that ends it; undefined while more events may come. */
  mark: number | undefined
  /** Resolved, and not emitted: as they came, or by slot. */
  readonly answered: Result[]
}

interface Result {
  readonly value: unknown
  /** The event that it is the result of: the first of this batch. */
  readonly event: Batch
  readonly from: Subscription
}

/** A pure machine: slots are numbered from 0, in the order of the events. */
export class ResultQueue {
  readonly #isOrdered: boolean
  /** The oldest first; the last one is open. */
  readonly #stretches: Segment[] = [{ open: 0, mark: undefined, answered: [] }]
  /** Slot → its segment, until it is resolved. */
  readonly #stretchOf = new Map<number, Segment>()
  /** In order: the slots that have not been emitted, oldest first, with their results. */
  readonly #queue = new Ring<{ readonly stretch: Segment; answer: Result | undefined }>()
  readonly #slots = new Map<number, { readonly stretch: Segment; answer: Result | undefined }>()
  #tickets = 0

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered
  }

  /** An event has come: reserves a slot for its result. */
  reserve(): number {
    const ticket = this.#tickets
    this.#tickets += 1
    const stretch = this.#last
    stretch.open += 1
    this.#stretchOf.set(ticket, stretch)
    if (this.#isOrdered) {
      const slot = { stretch, answer: undefined }
      this.#slots.set(ticket, slot)
      this.#queue.push(slot)
    }
    return ticket
  }

  resolve(ticket: number, value: unknown, event: Batch, from: Subscription): void {
    const answer = { value, event, from }
    const stretch = this.#stretchOf.get(ticket)
    if (stretch === undefined) return
    this.#stretchOf.delete(ticket)
    if (!this.#isOrdered) {
      stretch.open -= 1
      stretch.answered.push(answer)
      return
    }
    const slot = this.#slots.get(ticket)
    if (slot !== undefined) slot.answer = answer
    this.#slots.delete(ticket)
    for (let first = this.#queue.peek(); first?.answer !== undefined; first = this.#queue.peek()) {
      first.stretch.answered.push(first.answer)
      first.stretch.open -= 1
      this.#queue.shift()
    }
  }

  /** A watermark has come, after all events so far. */
  mark(time: number): void {
    const before = this.#stretches.at(-2)
    const last = this.#last
    // There is nothing between it and the previous mark: one of them is enough.
    if (before !== undefined && last.open === 0 && last.answered.length === 0) before.mark = time
    else {
      last.mark = time
      this.#stretches.push({ open: 0, mark: undefined, answered: [] })
    }
  }

  /** What can be emitted now, up to the next mark; undefined if nothing can. */
  take(): Ready | undefined {
    const [first] = this.#stretches
    if (first === undefined) return undefined
    const isOver = first.open === 0 && first.mark !== undefined
    if (first.answered.length === 0 && !isOver) return undefined
    const from = new Map<Subscription, number>()
    for (const answer of first.answered) from.set(answer.from, (from.get(answer.from) ?? 0) + 1)
    const batches = batchesOf(first.answered.splice(0).filter(({ value }) => value !== NOTHING))
    if (isOver) this.#stretches.shift()
    return { batches, from, watermark: isOver ? first.mark : undefined }
  }

  get #last(): Segment {
    return this.#stretches.at(-1) as Segment
  }
}

/** Results as batches, each with the origin of its event: those without one are in batches of their own. */
function batchesOf(answers: readonly Result[]): Batch[] {
  const batches: Batch[] = []
  for (let from = 0; from < answers.length; ) {
    const { hasOrigins } = (answers[from] as Result).event
    let to = from + 1
    while (to < answers.length && answers[to]?.event.hasOrigins === hasOrigins) to += 1
    const own = answers.slice(from, to)
    const origins = hasOrigins ? { at: (index: number) => own[index]?.event.origin(0) as Origin } : undefined
    const maxStride = Math.max(...own.map(({ event }) => event.maxStride))
    batches.push(
      batchOf(
        own.map(({ value }) => value),
        origins,
        maxStride,
      ),
    )
    from = to
  }
  return batches
}

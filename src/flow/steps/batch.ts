// batch: arrays of events, full by number, by bytes, or by time.

import type { Key } from '../../base/hash.ts'
import { plainKey } from '../../base/key-table.ts'
import { overLimit } from '../../base/over-limit.ts'
import type { Batch as EventBatch } from '../../connect/batch.ts'
import type { Operator } from '../plan.ts'
import { giveResults, type MakeStep, type Port, type Step, type StepContext } from '../step.ts'

type Batching = Extract<Operator, { kind: 'batch' }>

export function batch(operator: Batching): MakeStep {
  return (next, context) => new Batch(operator, next, context)
}

interface Open {
  readonly events: unknown[]
  bytes: number
  /** When its first event has waited long enough. */
  readonly dueMs: number
}

/** An open batch as it is stored. */
interface SavedBatch {
  readonly key: Key
  readonly events: readonly unknown[]
  readonly bytes: number
  /** How much longer its first event may wait. */
  readonly leftMs: number
}

/** Without a key all events have the same one. */
const ALL = ''

class Batch implements Step {
  readonly #operator: Batching
  readonly #keyOf: (event: unknown) => Key
  readonly #next: Port
  readonly #context: StepContext
  /** Key → its batch; the oldest open batch is the first one due. */
  readonly #open = new Map<Key, Open>()

  constructor(operator: Batching, next: Port, context: StepContext) {
    const { key } = operator
    this.#operator = operator
    this.#keyOf = key === undefined ? () => ALL : (event) => plainKey((key as (event: unknown) => Key)(event))
    this.#next = next
    this.#context = context
  }

  events(batch: EventBatch): void {
    const full: unknown[][] = []
    for (const event of batch.values()) this.#add(this.#keyOf(event), event, full)
    giveResults(this.#next, full)
  }

  watermark(time: number): void {
    this.#next.watermark(time)
  }

  end(): void {
    this.#flush(() => true)
  }

  snapshot(): SavedBatch[] | undefined {
    if (this.#open.size === 0) return undefined
    const nowMs = this.#context.nowMs()
    return [...this.#open].map(([key, { events, bytes, dueMs }]) => ({ key, events, bytes, leftMs: dueMs - nowMs }))
  }

  restore(saved: readonly unknown[]): void {
    const { partition, nowMs, owns } = this.#context
    for (const [stage, batches] of (saved as readonly (readonly SavedBatch[])[]).entries()) {
      for (const { key, events, bytes, leftMs } of batches) {
        const isOwn = this.#operator.key === undefined ? stage % partition.total === partition.index : owns(key)
        if (!isOwn) continue
        const open = this.#open.get(key)
        if (open === undefined) this.#open.set(key, { events: [...events], bytes, dueMs: nowMs() + leftMs })
        // When several stages became one, a batch may be too large: it is emitted with the next event.
        else for (const event of events) open.events.push(event)
      }
    }
  }

  get nextTickMs(): number | undefined {
    if (this.#operator.waitMs === undefined) return undefined
    for (const { dueMs } of this.#open.values()) return dueMs
    return undefined
  }

  tick(nowMs: number): void {
    this.#flush(({ dueMs }) => dueMs <= nowMs)
  }

  #add(key: Key, event: unknown, full: unknown[][]): void {
    const { size, bytes, waitMs = Number.POSITIVE_INFINITY } = this.#operator
    const weight = bytes === undefined ? 0 : (bytes.of as (event: unknown) => number)(event)
    let open = this.#open.get(key)
    if (open !== undefined && bytes !== undefined && open.bytes + weight > bytes.limit) {
      this.#open.delete(key)
      full.push(open.events)
      open = undefined
    }
    if (open === undefined) {
      open = { events: [], bytes: 0, dueMs: this.#context.nowMs() + waitMs }
      this.#open.set(key, open)
      const { name, maxKeys } = this.#operator
      if (this.#open.size > maxKeys)
        throw overLimit({ what: 'open batch', operator: name, option: 'maxKeys', limit: maxKeys })
    }
    open.events.push(event)
    open.bytes += weight
    if (open.events.length < size && (bytes === undefined || open.bytes < bytes.limit)) return
    this.#open.delete(key)
    full.push(open.events)
  }

  #flush(isDue: (open: Open) => boolean): void {
    const due: unknown[][] = []
    for (const [key, open] of this.#open) {
      if (!isDue(open)) continue
      this.#open.delete(key)
      due.push(open.events)
    }
    giveResults(this.#next, due)
  }
}

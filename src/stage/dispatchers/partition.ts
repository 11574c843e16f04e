// Partition dispatcher: a function of the event decides which consumer gets it.

import { checkInteger, describeValue } from '../../base/check.ts'
import { type Key, stableHash } from '../../base/hash.ts'
import { Ring } from '../../base/ring.ts'
import type { Deliver, Dispatcher, DispatcherSpec } from '../dispatcher.ts'
import type { Mark } from '../message.ts'

/** Given by a `hash` for an event that no partition is to have: it is dropped, and its demand asked again. */
export const DROP: unique symbol = Symbol('drop')

export interface PartitionSpec<T, P extends PartitionName> {
  /** How many partitions (named 0 to n − 1), or their names. */
  readonly partitions: number | readonly P[]
  /** The partition of an event, or {@link DROP}. By default: the stable hash of `key` over the number of partitions. */
  readonly hash?: (event: T) => P | typeof DROP
  /** The key of an event, where no `hash` is given: by default the event itself, which then must be a plain value. */
  readonly key?: (event: T) => Key
  /** The most events held for a partition that has not asked for them: an integer, 1 or more; 10,000 by default. */
  readonly holdEvents?: number
}

export type PartitionName = string | number

export interface PartitionOptions<P extends PartitionName = PartitionName> {
  /** The partition that the subscriber takes: one consumer each. `connect` gives them out in order. */
  readonly partition?: P
}

/**
 * Each event goes to the consumer of its partition, so that all events of a key meet in one place, in order.
 *
 * Events for a partition whose consumer has not asked wait here, up to `holdEvents`; then the producer is asked for
 * nothing until that consumer catches up: a slow partition slows the others rather than filling the memory.
 * Events of a partition without a consumer wait the same way.
 *
 * @throws {RangeError} (where it is dispatched) if `hash` names no partition
 * @example
 * const byColour = partition<{ colour: string }, string>({ partitions: ['red', 'blue'], hash: (event) => event.colour })
 * byColour.kind // => 'partition'
 * @see GenStage.PartitionDispatcher; unlike there, a dropped event gives its demand back and no queue grows without bound
 */
export function partition<T, P extends PartitionName = number>(
  spec: PartitionSpec<T, P>,
): DispatcherSpec<T, PartitionOptions<P>> {
  const names = namesOf(spec.partitions)
  const { holdEvents = 10_000, key = (event: T) => event as unknown as Key } = spec
  checkInteger('holdEvents', holdEvents, 1)
  if (spec.hash === undefined && typeof spec.partitions !== 'number') {
    throw new TypeError('partition needs a hash when its partitions have names')
  }
  const hash = spec.hash ?? ((event: T) => (stableHash(key(event)) % names.length) as P)
  const check = (options: PartitionOptions<P> | undefined): void => {
    const name = options?.partition
    if (name === undefined || names.includes(name)) return
    throw new RangeError(`partition must be one of ${names.join(', ')}: found ${describeValue(name)}`)
  }
  return { kind: 'partition', check, make: <C>() => new PartitionDispatcher<T, C, P>(names, hash, holdEvents) }
}

function namesOf<P extends PartitionName>(partitions: number | readonly P[]): readonly P[] {
  if (typeof partitions === 'number') {
    checkInteger('partitions', partitions, 1)
    return Array.from({ length: partitions }, (_, index) => index as P)
  }
  if (partitions.length === 0 || new Set(partitions).size !== partitions.length) {
    throw new RangeError(`partitions must be different names, one at least: found ${partitions.join(', ') || 'none'}`)
  }
  return partitions
}

/** One partition: its consumer if it has one, and what waits for it. Marks wait in line with the events. */
interface Lane<T, C> {
  consumer: C | undefined
  missing: number
  readonly waiting: Ring<{ readonly event: T } | Mark>
  waitingEvents: number
  /** Events of the batch that is being dispatched. */
  batch: T[]
}

class PartitionDispatcher<T, C, P extends PartitionName> implements Dispatcher<T, C, PartitionOptions<P>> {
  readonly #lanes: Map<P, Lane<T, C>>
  readonly #laneOf = new Map<C, Lane<T, C>>()
  readonly #hash: (event: T) => P | typeof DROP
  readonly #holdEvents: number
  /** The end, once it has come: who takes a lane afterwards must hear it too. */
  #end: Mark | undefined

  constructor(names: readonly P[], hash: (event: T) => P | typeof DROP, holdEvents: number) {
    this.#lanes = new Map(
      names.map((name) => [
        name,
        {
          consumer: undefined,
          missing: 0,
          waiting: new Ring<{ readonly event: T } | Mark>(),
          waitingEvents: 0,
          batch: [],
        },
      ]),
    )
    this.#hash = hash
    this.#holdEvents = holdEvents
  }

  /** Takes the lane named, or the first free one. */
  subscribe(consumer: C, options: PartitionOptions<P>): void {
    const wanted = options?.partition
    for (const [name, lane] of this.#lanes) {
      if (wanted !== undefined && wanted !== name) continue
      if (lane.consumer === undefined) {
        lane.consumer = consumer
        if (this.#end !== undefined && lane.waiting.length === 0) lane.waiting.push(this.#end)
        this.#laneOf.set(consumer, lane)
        return
      }
      if (wanted !== undefined) throw new RangeError(`Cannot subscribe to partition ${name}: it has a consumer`)
    }
    throw new RangeError(`Cannot subscribe to a partition: all ${this.#lanes.size} have a consumer`)
  }

  /** The lane keeps what waits in it for its next consumer. */
  cancel(consumer: C): void {
    const lane = this.#laneOf.get(consumer)
    if (lane !== undefined) {
      lane.consumer = undefined
      lane.missing = 0
    }
    this.#laneOf.delete(consumer)
  }

  ask(consumer: C, events: number, deliver: Deliver<T, C>): void {
    const lane = this.#laneOf.get(consumer)
    if (lane === undefined) return
    lane.missing += events
    this.#release(lane, deliver)
  }

  /** What all miss, but never so much that a lane could be given more than it may hold. */
  wanted(): number {
    let missing = 0
    let room = this.#holdEvents
    for (const lane of this.#lanes.values()) {
      missing += lane.missing
      room = Math.min(room, this.#holdEvents - lane.waitingEvents)
    }
    return Math.min(missing, room)
  }

  dispatch(events: readonly T[], deliver: Deliver<T, C>): void {
    for (const event of events) {
      const name = this.#hash(event)
      if (name === DROP) continue
      const lane = this.#lanes.get(name)
      if (lane === undefined) {
        const known = [...this.#lanes.keys()].join(', ')
        throw new RangeError(`hash must name one of the partitions ${known}: found ${describeValue(name)}`)
      }
      lane.batch.push(event)
    }
    for (const lane of this.#lanes.values()) {
      if (lane.batch.length > 0) this.#hand(lane, deliver)
    }
  }

  mark(mark: Mark, deliver: Deliver<T, C>): void {
    if (mark.kind === 'end') this.#end = mark
    for (const lane of [...this.#lanes.values()]) {
      if (lane.waiting.length > 0) lane.waiting.push(mark)
      else if (lane.consumer !== undefined) deliver.mark(lane.consumer, mark)
    }
  }

  held(): number {
    let held = 0
    for (const lane of this.#lanes.values()) held += lane.waitingEvents
    return held
  }

  /** Gives a lane its share of a batch; what its consumer has not asked for waits. */
  #hand(lane: Lane<T, C>, deliver: Deliver<T, C>): void {
    const { batch } = lane
    lane.batch = []
    const now = lane.waiting.length > 0 ? 0 : Math.min(lane.missing, batch.length)
    lane.missing -= now
    for (let i = now; i < batch.length; i += 1) lane.waiting.push({ event: batch[i] as T })
    lane.waitingEvents += batch.length - now
    if (now > 0) deliver.events(lane.consumer as C, now === batch.length ? batch : batch.slice(0, now))
  }

  /** Sends what waits, as far as the lane's demand reaches; marks cost none. */
  #release(lane: Lane<T, C>, deliver: Deliver<T, C>): void {
    const { consumer } = lane
    if (consumer === undefined) return
    let batch: T[] = []
    for (let next = lane.waiting.peek(); next !== undefined; next = lane.waiting.peek()) {
      if ('event' in next) {
        if (lane.missing === 0) break
        lane.missing -= 1
        lane.waitingEvents -= 1
        batch.push(next.event)
      } else {
        if (batch.length > 0) deliver.events(consumer, batch)
        batch = []
        deliver.mark(consumer, next)
      }
      lane.waiting.shift()
    }
    if (batch.length > 0) deliver.events(consumer, batch)
  }
}

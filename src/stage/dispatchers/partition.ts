// Partition dispatcher: a function of the event decides which consumer gets it.

import { checkFunctions, checkInteger, checkKeys, describeValue } from '../../base/check.ts'
import { type Key, stableHash } from '../../base/hash.ts'
import { type Chunk, cut, isArray, sharedOut } from '../chunk.ts'
import type { Deliver, Dispatcher, DispatcherSpec } from '../dispatcher.ts'
import type { Mark } from '../message.ts'
import { OutBuffer } from '../out-buffer.ts'

/** Returned by a `hash` for an event that goes to no partition: it is dropped, and its demand is asked again. */
export const DROP: unique symbol = Symbol('drop')

export interface PartitionSpec<T, P extends PartitionName> {
  /** How many partitions (named 0 to n − 1), or their names. */
  readonly partitions: number | readonly P[]
  /** The partition of an event, or {@link DROP}. By default: the stable hash of `key` over the number of partitions. */
  readonly hash?: (event: T) => P | typeof DROP
  /** The key of an event, if there is no `hash`: by default the event itself, which then must be a plain value. */
  readonly key?: (event: T) => Key
  /** The most events held for a partition that has not asked for them: an integer, 1 or more; 10,000 by default. */
  readonly holdEvents?: number
}

export type PartitionName = string | number

export interface PartitionOptions<P extends PartitionName = PartitionName> {
  /** The partition that the subscriber takes: one consumer each. `connect` assigns them in order. */
  readonly partition?: P
}

/**
 * Each event goes to the consumer of its partition, so that all events of a key meet in one place, in order.
 *
 * Events for a partition whose consumer has not asked wait here, up to `holdEvents`; then the producer is asked for
 * nothing until that consumer catches up: a slow partition slows the others instead of filling the memory. Events of a
 * partition without a consumer wait the same way.
 *
 * @throws {RangeError} (where it is dispatched) if `hash` returns an unknown partition
 * @example
 * const byColour = partition<{ colour: string }, string>({ partitions: ['red', 'blue'], hash: (event) => event.colour })
 * byColour.kind // => 'partition'
 * @see GenStage.PartitionDispatcher; unlike there, a dropped event returns its demand and no queue grows without bound
 */
export function partition<T, P extends PartitionName = number>(
  spec: PartitionSpec<T, P>,
): DispatcherSpec<T, PartitionOptions<P>> {
  checkKeys('partition', spec, ['partitions', 'hash', 'key', 'holdEvents'])
  checkFunctions({ hash: spec.hash, key: spec.key })
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

/** One partition: its consumer if it has one, and what waits for it. */
class Lane<T, C> {
  readonly name: PartitionName
  consumer: C | undefined
  /** Asked for by the consumer and not yet sent. */
  missing = 0
  /** Events and marks that nobody has asked for, in their order. */
  readonly waiting = new OutBuffer<T>(Number.POSITIVE_INFINITY, 'fail')
  /** Its part of the current chunk: events of an array, else their indices. */
  share: unknown[] = []

  constructor(name: PartitionName) {
    this.name = name
  }

  /** Adds a part of a chunk to the lane; what its consumer has not asked for waits. */
  hand(events: Chunk<T>, deliver: Deliver<T, C>): void {
    const { share, consumer } = this
    if (share.length === 0) return
    this.share = []
    const batch = sharedOut(events, share)
    const now = this.waiting.isEmpty ? Math.min(this.missing, batch.length) : 0
    this.missing -= now
    if (now < batch.length) this.waiting.append(cut(batch, now))
    if (now > 0 && consumer !== undefined) deliver.events(consumer, cut(batch, 0, now))
  }

  /** Sends what waits, as far as the lane's demand reaches; marks cost none. */
  release(deliver: Deliver<T, C>): void {
    const { consumer, waiting } = this
    while (consumer !== undefined && !waiting.isEmpty) {
      const mark = waiting.takeMark()
      if (mark !== undefined) deliver.mark(consumer, mark)
      else if (this.missing === 0) return
      else {
        const batch = waiting.take(this.missing)
        this.missing -= batch.length
        deliver.events(consumer, batch)
      }
    }
  }
}

class PartitionDispatcher<T, C, P extends PartitionName> implements Dispatcher<T, C, PartitionOptions<P>> {
  readonly #lanes: readonly Lane<T, C>[]
  readonly #byName: ReadonlyMap<PartitionName, Lane<T, C>>
  readonly #laneOf = new Map<C, Lane<T, C>>()
  readonly #hash: (event: T) => P | typeof DROP
  readonly #holdEvents: number
  /** The end, once it has come: a later consumer of a lane must get it, too. */
  #end: Mark | undefined

  constructor(names: readonly P[], hash: (event: T) => P | typeof DROP, holdEvents: number) {
    this.#lanes = names.map((name) => new Lane<T, C>(name))
    this.#byName = new Map(this.#lanes.map((lane) => [lane.name, lane]))
    this.#hash = hash
    this.#holdEvents = holdEvents
  }

  /** Takes the lane named, or the first free one. */
  subscribe(consumer: C, options: PartitionOptions<P>): void {
    const wanted = options?.partition
    const lane = wanted === undefined ? this.#lanes.find((one) => one.consumer === undefined) : this.#byName.get(wanted)
    if (lane === undefined) {
      throw new RangeError(`Cannot subscribe to a partition: all ${this.#lanes.length} have a consumer`)
    }
    if (lane.consumer !== undefined) {
      throw new RangeError(`Cannot subscribe to partition ${lane.name}: it has a consumer`)
    }
    lane.consumer = consumer
    if (this.#end !== undefined && lane.waiting.isEmpty) lane.waiting.pushMark(this.#end)
    this.#laneOf.set(consumer, lane)
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
    if (!lane.waiting.isEmpty) lane.release(deliver)
  }

  /** What all miss, but never so much that a lane would exceed its limit. */
  wanted(): number {
    let missing = 0
    let most = 0
    for (const lane of this.#lanes) {
      missing += lane.missing
      most = Math.max(most, lane.waiting.length)
    }
    return Math.min(missing, this.#holdEvents - most)
  }

  dispatch(events: Chunk<T>, deliver: Deliver<T, C>): void {
    if (isArray(events)) for (const event of events) this.#laneFor(event)?.share.push(event)
    else for (let at = 0; at < events.length; at += 1) this.#laneFor(events.at(at) as T)?.share.push(at)
    for (const lane of this.#lanes) lane.hand(events, deliver)
  }

  mark(mark: Mark, deliver: Deliver<T, C>): void {
    if (mark.kind === 'end') this.#end = mark
    for (const lane of this.#lanes) {
      if (!lane.waiting.isEmpty) lane.waiting.pushMark(mark)
      else if (lane.consumer !== undefined) deliver.mark(lane.consumer, mark)
    }
  }

  held(): number {
    return this.#lanes.reduce((held, lane) => held + lane.waiting.length, 0)
  }

  /** The lane of an event; undefined for one that is dropped. */
  #laneFor(event: T): Lane<T, C> | undefined {
    const name = this.#hash(event)
    // Numbered lanes are at their indices: no look-up.
    const there = typeof name === 'number' ? this.#lanes[name] : undefined
    if (there !== undefined && there.name === name) return there
    if (name === DROP) return undefined
    const lane = this.#byName.get(name)
    if (lane !== undefined) return lane
    const known = [...this.#byName.keys()].join(', ')
    throw new RangeError(`hash must name one of the partitions ${known}: found ${describeValue(name)}`)
  }
}

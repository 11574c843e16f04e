// What a bundle sends to another stage: gathered by shard, so that few large elements cross.

import { serialize } from 'node:v8'
import { describeValue } from '../../base/check.ts'
import { type Key, stableHash } from '../../base/hash.ts'
import { type Batch, joined } from '../../connect/batch.ts'
import { Packer } from '../../engine/codec/codec.ts'
import type { Packed } from '../../engine/codec/packed.ts'
import { bytesOfSample } from '../../engine/size.ts'
import { DROP } from '../../stage/dispatchers/partition.ts'
import type { Crossing } from '../plan/engine-stages.ts'

/** Sends an element: a shard, and batches in bytes. */
export type Send = (shard: number, bytes: Uint8Array) => void

/** The shard of an event; undefined if it goes to none. */
type ShardOf = (event: unknown) => number | undefined

/** About how much is gathered before it is sent in any case. */
const MOST_BYTES = 32 * 1024 * 1024

/** What an element holds, once it is bytes. */
export interface Sent {
  /** The crossing that it took. */
  readonly crossing: string
  readonly packed: readonly Packed[]
}

/** What is gathered for one shard: events without origins, and batches of events that have some. */
interface Slot {
  readonly values: unknown[]
  readonly batches: Batch[]
}

/** One crossing as one bundle sees it. */
export class Outlet {
  readonly #crossing: Crossing
  readonly #send: Send
  /** Undefined where events may go to any shard. */
  readonly #shardOf: ShardOf | undefined
  readonly #packer = new Packer()
  #slots = new Map<number, Slot>()
  #bytes = 0
  /** Where the next batch goes that may go to any shard. */
  #next = 0

  constructor(crossing: Crossing, send: Send) {
    this.#crossing = crossing
    this.#send = send
    this.#shardOf = shardOf(crossing)
  }

  /** A group begins: where its events go depends on nothing else, so that a repetition sends them to the same shards. */
  begin(group: number): void {
    this.#next = group
  }

  get crossing(): Crossing {
    return this.#crossing
  }

  take(batch: Batch): void {
    const isTracked = this.#crossing.edge.isTracked === true && batch.hasOrigins
    if (this.#shardOf === undefined) this.#takeWhole(batch, isTracked)
    else if (isTracked) this.#takeTracked(batch, this.#shardOf)
    else this.#takeValues(batch.values(), this.#shardOf)
    this.#bytes += bytesOfSample(batch.values())
    if (this.#bytes > MOST_BYTES) this.flush()
  }

  /** Sends everything: one element for each shard. */
  flush(): void {
    for (const [shard, { values, batches }] of this.#slots) {
      const packed: Packed[] = []
      if (values.length > 0) packed.push(this.#packer.pack(values))
      if (batches.length > 0) packed.push(this.#packer.pack(joined(batches), true))
      this.#send(shard, serialize({ crossing: this.#crossing.id, packed } satisfies Sent))
    }
    this.#slots = new Map()
    this.#bytes = 0
  }

  /** Sends an element without events: its group then exists, even if there is nothing else in it. */
  open(shard: number): void {
    this.#slot(shard)
  }

  #takeWhole(batch: Batch, isTracked: boolean): void {
    const slot = this.#slot(this.#next % this.#crossing.to.stages)
    this.#next += 1
    if (isTracked) slot.batches.push(batch)
    else for (const value of batch.values()) slot.values.push(value)
  }

  #takeValues(values: readonly unknown[], shardOf: ShardOf): void {
    for (const value of values) {
      const shard = shardOf(value)
      if (shard !== undefined) this.#slot(shard).values.push(value)
    }
  }

  #takeTracked(batch: Batch, shardOf: ShardOf): void {
    const places = new Map<number, number[]>()
    for (const [index, value] of batch.values().entries()) {
      const shard = shardOf(value)
      if (shard === undefined) continue
      const own = places.get(shard)
      if (own === undefined) places.set(shard, [index])
      else own.push(index)
    }
    for (const [shard, indices] of places) this.#slot(shard).batches.push(batch.select(indices))
  }

  #slot(shard: number): Slot {
    let slot = this.#slots.get(shard)
    if (slot === undefined) {
      slot = { values: [], batches: [] }
      this.#slots.set(shard, slot)
    }
    return slot
  }
}

/** How the events of a crossing find their shard. */
function shardOf({ edge, to }: Crossing): ShardOf | undefined {
  const { exchange } = edge
  const { stages } = to
  if (exchange.kind === 'key') {
    const key = exchange.key as (event: unknown) => Key
    return (event) => stableHash(key(event)) % stages
  }
  if (exchange.kind !== 'hash') return undefined
  const hash = exchange.hash as (event: unknown) => unknown
  return (event) => {
    const shard = hash(event)
    if (shard === DROP) return undefined
    if (Number.isInteger(shard) && (shard as number) >= 0 && (shard as number) < stages) return shard as number
    throw new RangeError(
      `hash of partition must return an integer from 0 to ${stages - 1}: found ${describeValue(shard)}`,
    )
  }
}

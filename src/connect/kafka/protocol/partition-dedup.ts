// Which records of each partition were read before.

import type { Deduplicator, Standing } from '../../kits/broker/deduplicator.ts'
import type { Json } from '../../source.ts'

/** Offsets of a partition: each is that of the next record. */
interface Offsets {
  committed: number
  given: number
  received: number
  /** Beyond `received`, if no record for users followed. */
  through: number
}

/** What a checkpoint may hold of partitions: number → offset. */
export type PartitionOffsets = Readonly<Record<string, number>>

/** Identifies a record within its topic. */
export function recordId({ partition, offset }: { readonly partition: number; readonly offset: number }): string {
  return `${partition}:${offset}`
}

/**
 * Records are numbered by partition, in ascending order.
 *
 * @example
 * const known = new PartitionDedup({ '0': 7 })
 * known.classify('0:6', false) // => 'committed'
 * known.classify('0:7', false) // => 'new'
 */
export class PartitionDedup implements Deduplicator {
  readonly #partitions = new Map<number, Offsets>()
  #topic: string | undefined

  /**
   * @param topic - the id of the topic, if known
   */
  constructor(from: PartitionOffsets, topic?: string) {
    this.#topic = topic
    for (const [partition, offset] of Object.entries(from)) this.begin(Number(partition), offset)
  }

  /** Reading of a partition starts here. */
  begin(partition: number, offset: number): void {
    this.#partitions.set(partition, { committed: offset, given: offset, received: offset, through: offset })
  }

  /** Whether a topic is the one that was read before, as far as is known; from now on it is. */
  isOf(topic: string | undefined): boolean {
    this.#topic ??= topic
    return topic === undefined || topic === this.#topic
  }

  /** The offset to continue from; undefined before reading starts. */
  nextOf(partition: number): number | undefined {
    return this.#partitions.get(partition)?.through
  }

  /** Everything before this offset was processed. */
  passed(partition: number, next: number): void {
    const offsets = this.#partitions.get(partition)
    if (offsets !== undefined) offsets.through = Math.max(offsets.through, next)
  }

  classify(id: string, _isAgain: boolean): Standing {
    const { offsets, offset } = this.#at(id)
    if (offset >= offsets.received) return 'new'
    return offset < offsets.committed ? 'committed' : 'waiting'
  }

  received(id: string): void {
    const { offsets, offset } = this.#at(id)
    if (offsets.given === offsets.received) offsets.given = offsets.through
    offsets.received = offset + 1
    offsets.through = Math.max(offsets.through, offset + 1)
  }

  given(ids: readonly string[]): void {
    for (const id of ids) {
      const { offsets, offset } = this.#at(id)
      offsets.given = offset + 1
    }
  }

  dropped(): void {
    for (const offsets of this.#partitions.values()) {
      if (offsets.given < offsets.received) offsets.through = offsets.given
      offsets.received = offsets.given
    }
  }

  acknowledged(ids: readonly string[]): void {
    for (const id of ids) {
      const { offsets, offset } = this.#at(id)
      offsets.committed = offset + 1
    }
  }

  position(): { readonly [key: string]: Json } {
    const next: Record<string, number> = {}
    for (const [partition, { given, received, through }] of this.#partitions) {
      next[partition] = given === received ? through : given
    }
    return this.#topic === undefined ? { next } : { topic: this.#topic, next }
  }

  #at(id: string): { readonly offsets: Offsets; readonly offset: number } {
    const colon = id.indexOf(':')
    const [partition, offset] = [Number(id.slice(0, colon)), Number(id.slice(colon + 1))]
    const offsets = this.#partitions.get(partition)
    if (offsets === undefined) throw new Error(`record ${id} belongs to a partition that is not read`)
    return { offsets, offset }
  }
}

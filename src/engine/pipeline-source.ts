// The source of a pipeline as the engine sees it: one of several that its plan reads.

import { batchOf, type ReadBatch } from '../connect/batch.ts'
import type { Columns } from '../connect/column.ts'
import { fromSource, type Origin } from '../connect/origin.ts'
import { type Shard, splitsOf } from '../connect/shard.ts'
import type { ListedSplit } from '../connect/sink.ts'
import type { OpenOptions, Position, Source, Split, SplitReader } from '../connect/source.ts'

export interface PipelineSourceOptions {
  readonly source: Source<unknown>
  /** Which of the sources of its plan it is, of how many; the only one by default. */
  readonly number?: number
  readonly sources?: number
  /** Prefix of split ids in stored positions: each of several sources has its own. */
  readonly prefix: string
  /** Its splits, if they were already listed. */
  readonly splits?: readonly Split[]
}

/** Files examined in parallel. */
const LOOKS_AT_ONCE = 32

/** Read by stages that send barriers, and report their position at each. */
export class PipelineSource implements Source<unknown> {
  readonly kind: string
  readonly title: string
  readonly columns?: Columns
  readonly needsAck?: true
  readonly isUnbounded?: true
  readonly isTabular?: true
  readonly #source: Source<unknown>
  readonly #prefix: string
  readonly #number: number
  readonly #sources: number
  /** Id → the name under which earlier runs stored its position. */
  readonly #kept = new Map<string, string>()

  #listed: readonly Split[] | undefined

  constructor(options: PipelineSourceOptions) {
    const { source, prefix, splits, number = 0, sources = 1 } = options
    this.#source = source
    this.kind = source.kind
    this.title = source.title
    if (source.needsAck) this.needsAck = true
    if (source.isUnbounded) this.isUnbounded = true
    if (source.isTabular) this.isTabular = true
    this.#prefix = prefix
    this.#number = number
    this.#sources = sources
    this.#listed = splits
  }

  splits: Source<unknown>['splits'] = async (options) => {
    this.#listed ??= await this.#source.splits(options)
    return this.#listed
  }

  /**
   * Lists its splits for a run that continues.
   *
   * @param positions - what earlier runs left, by name
   * @returns by name, positions of splits that do not continue from the position stored under their name
   */
  async goOn(positions: ReadonlyMap<string, Position>, options?: OpenOptions): Promise<ReadonlyMap<string, Position>> {
    const moved = new Map<string, Position>()
    const own = new Map<string, Position>()
    const { shared } = this.#source
    for (const [kept, position] of positions) {
      if (!kept.startsWith(this.#prefix)) continue
      const name = kept.slice(this.#prefix.length)
      const id = shared?.idOf(name) ?? name
      // What copies on several machines have kept is the later one of two.
      if (id === name && this.#kept.has(id)) continue
      own.set(id, position)
      this.#kept.set(id, name)
    }
    const resumed = own.size === 0 ? undefined : await this.#source.resume?.(own, options)
    if (resumed === undefined) return moved
    this.#listed = resumed.map(({ split }) => this.#named(split))
    for (const { split, from } of resumed) {
      if (from !== undefined && from !== own.get(split.id)) moved.set(this.nameOf(split), from)
    }
    return moved
  }

  /** What a read returned; each record differs from those that another source of the plan has at the same place. */
  marked(read: ReadBatch<unknown>): ReadBatch<unknown> {
    if (this.#sources === 1) return read
    const { events, rejected } = read
    const own = (origin: Origin): Origin => fromSource(origin, this.#number, this.#sources)
    return {
      events: batchOf(events.values(), { at: (index) => own(events.origin(index) as Origin) }, this.#sources),
      rejected: rejected.map(({ at, letter }) => ({ at, letter: { ...letter, origin: own(letter.origin) } })),
    }
  }

  /** The name under which a split's position is stored. */
  nameOf({ id, name = id }: Split): string {
    return `${this.#prefix}${name}`
  }

  /** Everything listed, with machine-independent names; local names are used from here on. */
  async forAll(): Promise<readonly ListedSplit[]> {
    const { shared } = this.#source
    if (shared === undefined) return []
    const splits = await this.splits()
    const listed: ListedSplit[] = []
    for (let from = 0; from < splits.length; from += LOOKS_AT_ONCE) {
      const looks = splits.slice(from, from + LOOKS_AT_ONCE).map(async ({ id }) => {
        return { name: shared.nameOf(id), path: id, head: await shared.headOf(id) }
      })
      listed.push(...(await Promise.all(looks)))
    }
    this.#listed = splits.map((split) =>
      this.#kept.has(split.id) ? split : { ...split, name: shared.nameOf(split.id) },
    )
    return listed
  }

  /** Skips what belongs to other shards. */
  keepShard(shard: Shard): void {
    this.#listed = splitsOf(shard, this.#listed ?? [], this.#source.shared)
  }

  #named(split: Split): Split {
    const name = this.#kept.get(split.id)
    return name === undefined ? split : { ...split, name }
  }

  async open(split: Split, from: Position | undefined, options?: object): Promise<SplitReader<unknown>> {
    return await this.#source.open(split, from, options)
  }
}

// The source of a pipeline as the engine sees it: with the operators that are done where it is read.

import type { Columns } from '../connect/column.ts'
import type { OpenOptions, Position, Source, Split, SplitReader } from '../connect/source.ts'
import type { Plan } from '../flow/plan.ts'

export interface PipelineSourceOptions {
  readonly source: Source<unknown>
  /** Operators that look at one event at a time, done as events are read. */
  readonly head: Plan
  /** Whether events go on with their origins. */
  readonly isTraced: boolean
  /** In front of split ids where positions are kept: of several sources each has its own. */
  readonly prefix: string
  /** Its splits, where they were listed before. */
  readonly splits?: readonly Split[]
  /** Whether a later run goes on from where this one stood; true by default. */
  readonly keepsPositions?: boolean
}

/** Read by stages that send barriers, and tell where they stand at each. */
export class PipelineSource implements Source<unknown> {
  readonly kind: string
  readonly title: string
  readonly columns?: Columns
  readonly head: Plan
  readonly isTraced: boolean
  readonly keepsPositions: boolean
  readonly isAcknowledged?: true
  readonly isEndless?: true
  readonly #source: Source<unknown>
  readonly #prefix: string

  #listed: readonly Split[] | undefined

  constructor({ source, head, isTraced, prefix, splits, keepsPositions = true }: PipelineSourceOptions) {
    this.#source = source
    this.kind = source.kind
    this.title = source.title
    this.head = head
    this.isTraced = isTraced
    this.keepsPositions = keepsPositions
    if (source.isAcknowledged) this.isAcknowledged = true
    if (source.isEndless) this.isEndless = true
    this.#prefix = prefix
    this.#listed = splits
  }

  splits: Source<unknown>['splits'] = async (options) => {
    this.#listed ??= await this.#source.splits(options)
    return this.#listed
  }

  /**
   * Lists its splits for a run that goes on.
   *
   * @param positions - what earlier runs left, by name
   * @returns by name, where splits go on that do not go on from the position under their name
   */
  async goOn(positions: ReadonlyMap<string, Position>, options?: OpenOptions): Promise<ReadonlyMap<string, Position>> {
    const moved = new Map<string, Position>()
    const own = new Map<string, Position>()
    for (const [name, position] of positions) {
      if (name.startsWith(this.#prefix)) own.set(name.slice(this.#prefix.length), position)
    }
    const resumed = own.size === 0 ? undefined : await this.#source.resume?.(own, options)
    if (resumed === undefined) return moved
    this.#listed = resumed.map(({ split }) => split)
    for (const { split, from } of resumed) {
      if (from !== undefined && from !== own.get(split.id)) moved.set(this.nameOf(split), from)
    }
    return moved
  }

  /** The name under which a split's position is kept. */
  nameOf({ id }: Split): string {
    return `${this.#prefix}${id}`
  }

  async open(split: Split, from: Position | undefined, options?: object): Promise<SplitReader<unknown>> {
    return await this.#source.open(split, from, options)
  }
}

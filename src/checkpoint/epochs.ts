// The accounts of a run: what each epoch read, dropped, loaded and rejected, until it is committed.

import { invariant } from '../base/invariant.ts'
import type { Checkpoint, Totals } from '../connect/sink.ts'
import type { Position } from '../connect/source.ts'
import { addTotals, balanced, NO_TOTALS, subtractTotals, totalsAddUp } from '../connect/totals.ts'

interface OpenEpoch {
  readonly positions: Map<string, Position>
  totals: Totals
  /** Whether any record was read for it. */
  hasRead: boolean
}

export interface EpochsOptions {
  readonly folds?: boolean
  /** What was committed when the run started, if it restarts from its last commit. */
  readonly before?: Totals
  /** Where earlier runs stood, by the current names of splits: committed with what this run reads. */
  readonly moved?: ReadonlyMap<string, Position>
}

/**
 * Every stage counts what it did for the epoch that its barrier closes; the sink commits the sum. An epoch whose
 * records are not all accounted for is a bug, and is not committed.
 */
export class Epochs {
  /** Epochs whose barrier was sent and that are not yet committed. */
  readonly #open = new Map<number, OpenEpoch>()
  /** Whether events become others on the way, so that whatever is not counted otherwise was absorbed. */
  readonly #folds: boolean
  /** The last epoch committed. */
  epoch: number
  /** Committed over all runs. */
  overall: Totals
  /** What earlier runs had committed. */
  readonly #before: Totals
  /** Positions that get new names with the next commit. */
  #moved: ReadonlyMap<string, Position>

  constructor(restored: Checkpoint | undefined, { folds = false, before, moved = new Map() }: EpochsOptions = {}) {
    this.#folds = folds
    this.#moved = moved
    this.epoch = restored?.epoch ?? 0
    this.overall = restored?.totals ?? NO_TOTALS
    this.#before = before ?? this.overall
  }

  /** Committed by this run. */
  get run(): Totals {
    return subtractTotals(this.overall, this.#before)
  }

  /** Opens the accounts of an epoch. */
  open(epoch: number): void {
    this.#open.set(epoch, { positions: new Map(), totals: NO_TOTALS, hasRead: false })
  }

  /** Whether anything is under way that no commit holds. */
  get hasUncommitted(): boolean {
    return this.#open.size > 0
  }

  /** What a source stage has read for an epoch. */
  moved(epoch: number, positions: ReadonlyMap<string, Position>, counts: Partial<Totals>): void {
    const open = this.#at(epoch)
    for (const [split, position] of positions) open.positions.set(split, position)
    open.totals = addTotals(open.totals, counts)
    if ((counts.read ?? 0) > 0) open.hasRead = true
  }

  /** Adds to what became of the records of an epoch. */
  book(epoch: number, totals: Partial<Totals>): void {
    const open = this.#at(epoch)
    open.totals = addTotals(open.totals, totals)
  }

  /** Replayed records were counted before: as read, and their dead letters as events. */
  triedAgain(epoch: number, { records, letters }: { readonly records: number; readonly letters: number }): void {
    const derived = this.#folds ? 0 : records - letters
    this.book(epoch, { read: -records, dead: -letters, derived })
  }

  /** Takes the positions out of an epoch: they are not stored. */
  takePositions(epoch: number): ReadonlyMap<string, Position> {
    const { positions } = this.#at(epoch)
    const taken = new Map(positions)
    positions.clear()
    return taken
  }

  /** Whether no record was read for an epoch. */
  hasReadNothing(epoch: number): boolean {
    return !this.#at(epoch).hasRead
  }

  /** Whether an epoch has nothing to store. */
  isEmpty(epoch: number): boolean {
    const { positions, totals } = this.#at(epoch)
    return positions.size === 0 && totals.loaded === 0 && totals.dead === 0
  }

  /** What to commit for an epoch. */
  checkpoint(epoch: number, states: ReadonlyMap<string, Uint8Array> = new Map()): Checkpoint {
    invariant(epoch === this.epoch + 1, `epoch ${epoch} is out of turn after ${this.epoch}`)
    const positions = new Map([...this.#moved, ...this.#at(epoch).positions])
    return { epoch, positions, totals: addTotals(this.overall, this.#totalsOf(epoch)), states }
  }

  /** The epoch is committed. */
  committed(epoch: number): void {
    const totals = this.#totalsOf(epoch)
    this.#open.delete(epoch)
    this.#moved = new Map()
    this.epoch = epoch
    this.overall = addTotals(this.overall, totals)
  }

  /** An epoch in which nothing happened is over; the next one reuses its number. */
  skipped(epoch: number): void {
    this.#open.delete(epoch)
  }

  #totalsOf(epoch: number): Totals {
    const { totals } = this.#at(epoch)
    // An epoch that emits more than came in emits what earlier ones absorbed.
    const all = balanced(totals, this.#folds)
    invariant(totalsAddUp(all), `the records of epoch ${epoch} do not add up: ${JSON.stringify(all)}`)
    return all
  }

  #at(epoch: number): OpenEpoch {
    const open = this.#open.get(epoch)
    invariant(open !== undefined, `epoch ${epoch} is not open`)
    return open
  }
}

// The books of a run: what each epoch read, dropped, loaded and rejected, until it is committed.

import { invariant } from '../base/invariant.ts'
import type { Checkpoint, Totals } from '../connect/sink.ts'
import type { Position } from '../connect/source.ts'
import { addTotals, NO_TOTALS, totalsAddUp } from '../connect/totals.ts'
import type { Extract } from './extract.ts'

interface OpenEpoch {
  readonly positions: ReadonlyMap<string, Position>
  totals: Totals
}

/**
 * Every stage books what it did under the epoch that its barrier closes; the sink takes the sum and commits it. An
 * epoch whose records are not all accounted for is a bug, and is not committed.
 */
export class Epochs {
  /** Epochs whose barrier was sent and not yet committed. */
  readonly #open = new Map<number, OpenEpoch>()
  /** The last epoch opened. */
  #last: number
  /** The last epoch committed. */
  epoch: number
  /** Committed over all runs. */
  overall: Totals
  /** Committed by this run. */
  run: Totals = NO_TOTALS

  constructor(restored: Checkpoint | undefined) {
    this.epoch = restored?.epoch ?? 0
    this.#last = this.epoch
    this.overall = restored?.totals ?? NO_TOTALS
  }

  /** Opens the books of the next epoch with what was read for it; gives its number. */
  open({ positions, counts }: Extract): number {
    this.#last += 1
    this.#open.set(this.#last, { positions, totals: addTotals(NO_TOTALS, counts) })
    return this.#last
  }

  /** Adds to what became of an epoch's records. */
  book(epoch: number, totals: Partial<Totals>): void {
    const open = this.#open.get(epoch)
    invariant(open !== undefined, `epoch ${epoch} is not open`)
    open.totals = addTotals(open.totals, totals)
  }

  /** What is to be committed for an epoch. */
  checkpoint(epoch: number): Checkpoint {
    const open = this.#open.get(epoch)
    invariant(open !== undefined && epoch === this.epoch + 1, `epoch ${epoch} is out of turn after ${this.epoch}`)
    const { totals, positions } = open
    invariant(totalsAddUp(totals), `the records of epoch ${epoch} do not add up: ${JSON.stringify(totals)}`)
    return { epoch, positions, totals: addTotals(this.overall, totals), states: new Map() }
  }

  /** The epoch is committed. */
  committed(epoch: number): void {
    const open = this.#open.get(epoch)
    invariant(open !== undefined, `epoch ${epoch} is not open`)
    this.#open.delete(epoch)
    this.epoch = epoch
    this.run = addTotals(this.run, open.totals)
    this.overall = addTotals(this.overall, open.totals)
  }
}

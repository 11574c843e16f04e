// A branch in the database of the first sink: its rows, dead letters and checkpoint go into the same transaction.

import type { Batch } from '../../batch.ts'
import type { SinkWriter, Totals } from '../../sink.ts'
import { addTotals, NO_TOTALS } from '../../totals.ts'
import { BranchWriter, type BranchWriterOptions } from './branch-writer.ts'
import { branchesInvalid, checkLineage, LINEAGE } from './record.ts'

export class Joined {
  /** The index of its rows among those of all branches. */
  readonly at: number
  readonly #writer: SinkWriter<unknown>
  readonly options: BranchWriterOptions
  /** Its last commit; 0 before the first. */
  seq: number
  /** What became of rows, over all runs. */
  #totals: Totals
  /** Rows of the open epoch, and how many of them it has rejected. */
  #rows = 0
  #dead = 0

  private constructor(options: BranchWriterOptions, at: number, writer: SinkWriter<unknown>) {
    this.at = at
    this.#writer = writer
    this.options = options
    this.seq = options.seq
    this.#totals = writer.checkpoint?.totals ?? NO_TOTALS
  }

  /** Takes what waits for the branch in files, if it had any before, and joins the first sink. */
  static async open(first: SinkWriter<never>, at: number, options: BranchWriterOptions): Promise<Joined> {
    const { name, sink, opening, lineage, files, seq } = options
    if (files.length > 0) await BranchWriter.catchUp(options)
    const writer = (await sink.openBeside?.(first, opening)) as SinkWriter<unknown>
    checkLineage(opening.pipeline, name, writer.checkpoint, lineage)
    const found = writer.checkpoint?.epoch ?? 0
    if (found !== seq) throw branchesInvalid(opening.pipeline, `branch ${name} has committed ${found} of ${seq} times`)
    return new Joined(options, at, writer)
  }

  async write(rows: Batch): Promise<void> {
    if (rows.length === 0) return
    const refused = await this.#writer.write(rows)
    if (refused.length > 0) await this.#writer.writeDeadLetters(refused)
    this.#rows += rows.length
    this.#dead += refused.length
  }

  /** Becomes durable with the commit of the first sink, which follows. */
  async commit(): Promise<void> {
    if (this.#rows === 0) return
    const loaded = this.#rows - this.#dead
    this.#totals = addTotals(this.#totals, { read: this.#rows, loaded, dead: this.#dead })
    const states = new Map(this.seq === 0 ? [[LINEAGE, Buffer.from(this.options.lineage)]] : [])
    this.seq += 1
    await this.#writer.commit({ epoch: this.seq, positions: new Map(), totals: this.#totals, states })
    if (this.#dead > 0) {
      this.options.opening.onNote?.(`branch ${this.options.name} rejected ${this.#dead} of ${this.#rows} rows`)
    }
    this.#rows = 0
    this.#dead = 0
  }

  renew(): void | Promise<void> {
    return this.#writer.renewLease?.()
  }
}

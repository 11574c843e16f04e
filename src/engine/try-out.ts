// What the stages that read a pipeline's source make of records, shown without a run.

import { systemClock } from '../base/clock.ts'
import { type Batch, entriesOf, type ReadBatch } from '../connect/batch.ts'
import { type Entry, type Origin, traced } from '../connect/origin.ts'
import { Chain } from '../flow/chain.ts'
import { fuse } from '../flow/fuse.ts'
import { NO_RECORD } from '../flow/letter.ts'
import type { Layer } from '../flow/topology.ts'
import { Account } from './account.ts'
import { StageContext } from './step-context.ts'

/** The steps of a pipeline's first layer. */
export class TryOut {
  readonly #context = new StageContext({
    partition: { index: 0, total: 1 },
    inputs: 1,
    clock: systemClock,
    account: new Account({ onDead: () => {}, onLate: () => {} }),
    beginning: { isReplay: false },
  })
  readonly #chain: Chain
  #made: Entry<unknown>[] = []

  constructor([first]: readonly Layer[]) {
    const steps = first?.work.kind === 'source' ? (first.work.steps ?? []) : []
    const out = { events: (batch: Batch) => this.#take(batch), watermark: () => {} }
    this.#chain = new Chain(fuse(steps), out, this.#context.steps)
  }

  /** What becomes of what was read: events, then the letters of the steps. */
  async through(read: ReadBatch<unknown>): Promise<readonly Entry<unknown>[]> {
    this.#made = entriesOf(read).filter(({ kind }) => kind === 'dead')
    if (read.events.length > 0) this.#chain.events(read.events)
    while (this.#chain.isSuspended) {
      await this.#chain.waitsFor
      this.#chain.resume()
    }
    return [...this.#made, ...this.#context.takeLetters()]
  }

  #take(batch: Batch): void {
    for (const [index, value] of batch.values().entries()) {
      this.#made.push(traced(value, (batch.origin(index) as Origin | undefined) ?? NO_RECORD))
    }
  }
}

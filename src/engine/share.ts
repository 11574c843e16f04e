// Stages of a topology that run in one thread: all of them, those of a worker, or the consumers alone.

import type { EpochReports, ResumePoint, SourceCommand } from '../checkpoint/epoch-reports.ts'
import type { Topology } from '../flow/topology.ts'
import { Run } from '../stage/run.ts'
import { begin } from '../stage/subscribe.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { type AssembleOptions, type Assembly, assemble } from './assemble.ts'
import type { StageCounts, StageStats } from './stage-stats.ts'

export interface ShareOptions extends Omit<AssembleOptions, 'epochs'> {
  readonly epochs?: { readonly resumePoint: ResumePoint; readonly reports: EpochReports } | undefined
  readonly signal?: AbortSignal | undefined
  readonly failsInLine?: boolean | undefined
  /** Resolves when nothing more will be committed: readers whose senders wait for commits stay open until then. */
  readonly isOver?: Promise<void>
}

/** Starts working when it is made. */
export class Share {
  /** Resolves when its stages have ended and are closed; rejects with the error of the first that failed. */
  readonly done: Promise<void>
  readonly #assembly: Assembly
  readonly #acknowledgements = new Acknowledgements()
  readonly #run: Run

  constructor(topology: Topology, { epochs, signal, failsInLine = false, isOver, ...options }: ShareOptions) {
    const kept = epochs === undefined ? {} : { epochs: { ...epochs, acknowledgements: this.#acknowledgements } }
    this.#assembly = assemble(topology, { ...options, ...kept })
    this.#run = new Run(this.#assembly.layers, { signal, failsInLine })
    begin(this.#assembly.links)
    this.done = this.#finish(isOver)
    this.done.catch(() => {}) // Handled by whoever awaits the run.
  }

  get placed(): readonly StageStats[] {
    return this.#assembly.stats
  }

  figures(layer: number): readonly StageCounts[] {
    return this.placed.filter((one) => one.layer === layer).map((one) => one.work())
  }

  drain(): void {
    for (const source of this.#assembly.sources) source.complete()
  }

  tell(command: SourceCommand): void {
    if (command.kind === 'committed') return this.#acknowledgements.committed(command.epoch)
    for (const source of this.#assembly.sources) if (source.isOpen) source.notify(command)
  }

  async cancel(reason?: unknown): Promise<void> {
    await this.#run.cancel(reason)
    await this.#acknowledgements.close()
  }

  async #finish(isOver: Promise<void> | undefined): Promise<void> {
    try {
      await this.#run.done
      // The last epoch is committed when all of this has ended.
      if (this.#acknowledgements.isWaiting) await isOver
    } finally {
      await this.#acknowledgements.close()
    }
  }
}

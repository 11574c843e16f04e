// Passes groups through the layers of a stage: what was read here, or what other stages sent.

import { systemClock } from '../../base/clock.ts'
import { invariant } from '../../base/invariant.ts'
import type { EngineStage } from '../plan/engine-stages.ts'
import { stageOf } from '../plan/laid-out.ts'
import { crossingOutput } from '../plan/open-groups.ts'
import { Inlet } from './inlet.ts'
import { Loader } from './loader.ts'
import { Outlet } from './outlet.ts'
import { readSplit } from './read-split.ts'
import type { Group, TaskOptions, TaskRun } from './task-run.ts'
import { Unit } from './unit.ts'

/** Each group is a unit of its own; what they have for other stages, and rows, are gathered for the whole bundle. */
export class StageTask implements TaskRun {
  readonly #options: TaskOptions
  readonly #stage: EngineStage
  readonly #outlets: readonly Outlet[]
  readonly #loader: Loader
  readonly #inlet = new Inlet()
  #unit: Unit | undefined

  constructor(options: TaskOptions) {
    const { task, job, emit, counts } = options
    this.#options = options
    this.#stage = stageOf(job, task)
    this.#loader = new Loader(options)
    this.#outlets = this.#stage.outputs.map(
      (crossing) =>
        new Outlet(crossing, (shard, bytes) => {
          emit(crossingOutput(crossing), shard, bytes)
          counts.crossed += 1
        }),
    )
  }

  async element(value: unknown): Promise<void> {
    const [key, elements] = value as Group
    const unit = this.#newUnit(Number(key))
    for (const outlet of this.#outlets) outlet.begin(Number(key))
    this.#unit = unit
    for (const bytes of elements) {
      if (this.#options.task.does === 'read') await this.#read(bytes, unit)
      else await this.#take(bytes, unit)
    }
    await unit.end()
    await this.#loader.writeIfFull()
    this.#unit = undefined
  }

  async finish(): Promise<void> {
    for (const outlet of this.#outlets) outlet.flush()
    await this.#loader.write()
  }

  drop(): void {
    this.#unit?.drop()
  }

  async #read(bytes: Uint8Array, unit: Unit): Promise<void> {
    const { counts, signal } = this.#options
    const take = async (...batch: Parameters<Unit['take']>): Promise<void> => {
      await unit.take(...batch)
      await this.#loader.writeIfFull()
    }
    await readSplit(bytes, { stage: this.#stage, counts, signal, take, letters: (some) => this.#loader.letters(some) })
  }

  async #take(bytes: Uint8Array, unit: Unit): Promise<void> {
    const { crossing: id, batches } = this.#inlet.read(bytes)
    const crossing = this.#stage.inputs.find((one) => one.id === id)
    invariant(crossing !== undefined, `stage ${this.#stage.number} takes nothing from ${id}`)
    for (const batch of batches) {
      await unit.take(crossing.to, crossing.input, batch)
      await this.#loader.writeIfFull()
    }
  }

  #newUnit(shard: number): Unit {
    const { job, counts, rejections, signal } = this.#options
    return new Unit({
      stage: this.#stage,
      last: job.topology.last,
      shard,
      clock: systemClock,
      signal,
      rejections,
      counts,
      send: (crossing, batch) => this.#outlets.find((outlet) => outlet.crossing === crossing)?.take(batch),
      rows: (batch) => this.#loader.rows(batch),
      letters: (letters) => this.#loader.letters(letters),
    })
  }
}

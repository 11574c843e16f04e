// What workers record of their stages for the thread that started them: in shared memory, without messages.

import type { Topology } from '../../flow/topology.ts'
import type { StageCounts } from '../stage-stats.ts'

const FIELDS = 8

/** One row for each stage of each layer; only the worker that has the stage writes it. */
export class SharedStats {
  readonly #fields: Float64Array
  /** Layer → the row of its first stage, and how many it has. */
  readonly #rows = new Map<number, { readonly first: number; readonly stages: number }>()

  constructor({ layers }: Topology, memory: SharedArrayBuffer) {
    this.#fields = new Float64Array(memory)
    let first = 0
    for (const { number, stages } of layers) {
      this.#rows.set(number, { first, stages })
      first += stages
    }
  }

  static memoryFor({ layers }: Topology): SharedArrayBuffer {
    const rows = layers.reduce((sum, { stages }) => sum + stages, 0)
    return new SharedArrayBuffer(rows * FIELDS * Float64Array.BYTES_PER_ELEMENT)
  }

  write(layer: number, stage: number, work: StageCounts): void {
    const row = this.#rows.get(layer)
    if (row === undefined) return
    const { received, emitted, filtered, derived, demand, buffered, busyMs, watermarkMs = Number.NaN } = work
    const fields = [received, emitted, filtered, derived, demand, buffered, busyMs, watermarkMs]
    this.#fields.set(fields, (row.first + stage) * FIELDS)
  }

  /** The stages of a layer, as last written. */
  read(layer: number): StageCounts[] {
    const { first = 0, stages = 0 } = this.#rows.get(layer) ?? {}
    return Array.from({ length: stages }, (_, stage) => this.#read((first + stage) * FIELDS))
  }

  #read(at: number): StageCounts {
    const fields = this.#fields.subarray(at, at + FIELDS)
    const [received = 0, emitted = 0, filtered = 0, derived = 0, demand = 0, buffered = 0, busyMs = 0] = fields
    const watermarkMs = fields[FIELDS - 1] ?? 0
    // Rows that were never written hold 0, and a watermark of 0 would be 1970.
    const hasWatermark = !Number.isNaN(watermarkMs) && watermarkMs !== 0
    const time = hasWatermark ? { watermarkMs } : {}
    return { received, emitted, filtered, derived, demand, buffered, busyMs, ...time }
  }
}

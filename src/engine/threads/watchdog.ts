// What a worker writes into shared memory for the watchdog, without messages.

import type { Busy } from '../operator-stage.ts'

/** What one worker is doing. */
export interface WorkerActivity {
  /** When it began the current batch, in epoch milliseconds; undefined between two batches. */
  readonly busySinceMs: number | undefined
  /** The layer of that batch, from 1. */
  readonly layer: number
}

const FIELDS = 2

/** Shared by all workers of a run: each has its own place. */
export class Watchdog {
  readonly #fields: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#fields = new Float64Array(memory)
  }

  static memoryFor(workers: number): SharedArrayBuffer {
    return new SharedArrayBuffer(workers * FIELDS * Float64Array.BYTES_PER_ELEMENT)
  }

  /** For the stages of one worker. */
  busy(worker: number): Busy {
    return { begin: (layer) => this.begin(worker, layer, Date.now()), end: () => this.end(worker) }
  }

  begin(worker: number, layer: number, wallMs: number): void {
    this.#fields[worker * FIELDS + 1] = layer
    this.#fields[worker * FIELDS] = wallMs
  }

  end(worker: number): void {
    this.#fields[worker * FIELDS] = 0
  }

  look(worker: number): WorkerActivity {
    const since = this.#fields[worker * FIELDS]
    return { busySinceMs: since === 0 ? undefined : since, layer: this.#fields[worker * FIELDS + 1] ?? 0 }
  }
}

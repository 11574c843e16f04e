// Which worker has which stage.

import type { Layer } from '../../flow/topology.ts'

/** In place of a worker's number: the thread that started them, which takes the output. */
export const STARTER = -1

/** Stage n of every layer is in the same worker, so that a layer forwards to the next without a hop. */
export function workerOf(_layer: Layer, stage: number, workers: number): number {
  return stage % workers
}

// An engine, described: where it is, and how a pipeline is to run there.

import { anything, type Checks, checkOptions, fitting, integer } from '../../base/options.ts'

export interface BeamOptions {
  /**
   * Where pools of workers listen, beside the engine's own processes: `host:port`, as `sluice worker-pool` prints it. By
   * default the submitting process starts the workers itself, on its own host.
   */
  readonly workerPool?: string
  /** In how many shards events are exchanged, where the plan does not say it: an integer, 1 or more; 1,024 by default. */
  readonly shards?: number
  /** How many tasks the engine runs at once, each in a worker of its own: by default what the engine is set to. */
  readonly parallelism?: number
  /** The heap limit of a worker that this process starts, in MB: Node's own limit by default. */
  readonly heapMb?: number
  /** Further options of the engine, by their names: `{ checkpointing_interval: 10_000 }`. */
  readonly engineOptions?: Readonly<Record<string, string | number | boolean>>
}

/** An engine, for `run`. */
export interface Engine extends BeamOptions {
  readonly kind: 'beam'
  /** The job endpoint. */
  readonly address: string
}

/** In how many shards events are exchanged by default. */
export const SHARDS = 1024

const ADDRESS = /^[\w.-]+:\d{1,5}$|^\[[\da-f:]+\]:\d{1,5}$/i

const isAddress = fitting((value) => typeof value === 'string' && ADDRESS.test(value), 'host:port')

const OPTIONS: Checks<BeamOptions> = {
  workerPool: isAddress,
  shards: integer(1, 65_536),
  parallelism: integer(1),
  heapMb: integer(1),
  engineOptions: anything,
}

/**
 * An engine that speaks Apache Beam's portability protocols, such as Apache Flink behind Beam's job server. Connects to
 * nothing by itself.
 *
 * @param address - its job endpoint: `host:port`
 * @throws {TypeError} for an option that is not known
 * @throws {RangeError} for one that does not fit
 * @example
 * beam('localhost:8099', { parallelism: 2 }).address // => 'localhost:8099'
 */
export function beam(address: string, options: BeamOptions = {}): Engine {
  checkOptions('beam', { address, ...options }, { ...OPTIONS, address: isAddress })
  return { kind: 'beam', address, ...options }
}

// What runs the stages of a pipeline: the contract.

import type { Clock } from '../../base/clock.ts'
import type { Beginning, Ledger, SourceCommand } from '../../checkpoint/ledger.ts'
import type { Account } from '../../engine/account.ts'
import type { InFlightLimits } from '../../engine/in-flight.ts'
import type { Topology } from '../../flow/topology.ts'
import type { StageCore } from '../../stage/core.ts'
import type { StageWork } from '../../stage/counts.ts'

/** Large enough that a batch costs little beside its events. */
export const IN_FLIGHT: InFlightLimits = { events: 4000, bytes: 16 * 1024 * 1024 }
export const ONE_AT_A_TIME: InFlightLimits = { events: 1, bytes: 1 }

export interface EngineOptions {
  readonly topology: Topology
  /** Takes what the flow gives. */
  readonly taker: StageCore
  readonly clock: Clock
  readonly account: Account
  readonly beginning: Beginning
  readonly ledger: Ledger
  readonly signal: AbortSignal | undefined
}

/** Stages at work. */
export interface Engaged {
  /** Resolves when all have ended and are closed; rejects with what made one fail. */
  readonly done: Promise<void>
  /** What the stages of a layer did so far. */
  figures(layer: number): readonly StageWork[]
  /** How long this thread was at what comes from workers, before the taker has it; in clock milliseconds. */
  takingMs(): number
  /** How many worker threads there are; 0 if none. */
  readonly threads: number
  /** Tells every stage that reads. */
  tell(command: SourceCommand): void
  /** Ends all of them now. */
  cancel(reason: unknown): Promise<void>
}

export type Engine = (options: EngineOptions) => Promise<Engaged>

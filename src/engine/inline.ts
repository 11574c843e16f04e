// Runs a flow in this thread.

import { layOut } from '../flow/layout.ts'
import type { PlanNode } from '../flow/plan.ts'
import type { StageCore } from '../stage/core.ts'
import { Run } from '../stage/run.ts'
import { begin, link } from '../stage/subscribe.ts'
import { Account } from './account.ts'
import { assemble } from './assemble.ts'
import { LocalGate } from './gate.ts'
import { InFlight } from './in-flight.ts'
import type { Settings } from './options.ts'

/** A flow that runs. */
export interface FlowRun {
  /** Resolves when all has ended and is closed; rejects with what made it fail. */
  readonly done: Promise<void>
  /** What became of events that did not go on. */
  readonly account: Account
  /** Stops asking the sources, and lets through what they gave. */
  drain(): void
  /** Ends all of it now; resolves when nothing is left. */
  cancel(reason: unknown): Promise<void>
}

/** Starts the flow that ends with `node`: what it gives goes to all of `takers`, each getting a part of it. */
export function startInline(
  node: PlanNode,
  takers: readonly StageCore[],
  settings: Settings,
  failsInLine = false,
): FlowRun {
  const { stages = 1, clock, signal } = settings
  signal?.throwIfAborted()
  const account = new Account(settings)
  const inFlight = new InFlight(settings.inFlight)
  const topology = layOut(node, { stages })
  const gate = new LocalGate(topology)
  const { layers, links, sources, outputs } = assemble(topology, { clock, account, inFlight, gate })
  const out = takers.flatMap((taker) => outputs.map(({ stage }) => inFlight.watch(link(taker, stage, inFlight.demand))))
  const run = new Run([...layers, takers], { signal, failsInLine })
  // From the bottom up: no stage gives anything before those below it have asked.
  begin([...out, ...links.toReversed()])
  const drain = (): void => {
    for (const source of sources) source.complete()
  }
  return { account, done: run.done, drain, cancel: (reason) => run.cancel(reason) }
}

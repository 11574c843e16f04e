// Runs a flow in this thread.

import { layOut } from '../flow/layout.ts'
import type { PlanNode } from '../flow/plan.ts'
import type { StageCore } from '../stage/core.ts'
import { Run } from '../stage/run.ts'
import { begin, link } from '../stage/subscribe.ts'
import { Account } from './account.ts'
import { assemble, DEMAND } from './assemble.ts'
import type { Settings } from './options.ts'

/** A flow that runs: its stages, and what became of events that did not go on. */
export interface InlineRun {
  readonly run: Run
  readonly account: Account
}

/** Starts the flow that ends with `node`: what it gives goes to all of `takers`, each getting a part of it. */
export function startInline(
  node: PlanNode,
  takers: readonly StageCore[],
  settings: Settings,
  failsInLine = false,
): InlineRun {
  const { stages, clock, signal } = settings
  signal?.throwIfAborted()
  const account = new Account(settings)
  const { layers, links, outputs } = assemble(layOut(node, { stages }), { clock, account })
  const out = takers.flatMap((taker) => outputs.map(({ stage }) => link(taker, stage, DEMAND)))
  const run = new Run([...layers, takers], { signal, failsInLine })
  // From the bottom up: no stage gives anything before those below it have asked.
  begin([...out, ...links.toReversed()])
  return { run, account }
}

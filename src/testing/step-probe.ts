// A step on its own, with what it gives written down.

import type { MakeStep, Step, StepContext } from '../flow/step.ts'

/** What a step gave: batches, and watermarks in line with them. */
export type Given = readonly unknown[] | { readonly watermark: number }

export interface StepProbe {
  readonly step: Step
  /** What it gave since it was last asked. */
  take(): Given[]
  readonly context: StepContext
  /** What the step told of: late and refused events. */
  readonly told: unknown[]
  /** What its clocks show, both of them. */
  readonly clock: { nowMs: number }
}

/** Makes a step that gives to nobody but its probe. */
export function probeStep(make: MakeStep, given: Partial<StepContext> = {}): StepProbe {
  let out: Given[] = []
  const told: unknown[] = []
  const clock = { nowMs: 0 }
  const context: StepContext = {
    partition: { index: 0, total: 1 },
    owns: () => true,
    isGuarded: false,
    inputs: 1,
    input: 0,
    isStopped: false,
    nowMs: () => clock.nowMs,
    wallMs: () => clock.nowMs,
    late: (_, value) => told.push(['late', value]),
    dead: (_, value, reason) => told.push(['dead', value, reason]),
    accuse: () => {},
    ...given,
  }
  const next = {
    events: (batch: readonly unknown[]) => void out.push(batch),
    watermark: (time: number) => void out.push({ watermark: time }),
  }
  return {
    step: make(next, context),
    take() {
      const taken = out
      out = []
      return taken
    },
    context,
    told,
    clock,
  }
}

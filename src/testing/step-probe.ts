// A step on its own, with a record of its output.

import { type Batch, batchFrom } from '../connect/batch.ts'
import type { MakeStep, Step, StepContext } from '../flow/step.ts'

/** The output of a step: batches, and watermarks in order with them. */
export type Given = readonly unknown[] | { readonly watermark: number }

/** A step that may be given arrays of values, too. */
export interface ProbedStep extends Omit<Step, 'events'> {
  events(events: readonly unknown[] | Batch): void
}

export interface StepProbe {
  readonly step: ProbedStep
  /** Its output since the last look. */
  take(): Given[]
  readonly context: StepContext
  /** What the step reported: events that are late, rejected, or ahead of the clock. */
  readonly told: unknown[]
  /** The time of its clocks, both of them. */
  readonly clock: { nowMs: number }
}

/** Makes a step whose output goes only to its probe. */
export function probeStep(make: MakeStep, given: Partial<StepContext> = {}): StepProbe {
  let out: Given[] = []
  const told: unknown[] = []
  const clock = { nowMs: 0 }
  const context: StepContext = {
    partition: { index: 0, total: 1 },
    owns: () => true,
    onError: 'fail',
    isReplay: false,
    counts: { filtered: 0, derived: 0 },
    inputs: 1,
    input: 0,
    isStopped: false,
    nowMs: () => clock.nowMs,
    wallMs: () => clock.nowMs,
    late: (_, batch, index) => told.push(['late', batch.at(index)]),
    dead: (_, batch, index, reason) => told.push(['dead', batch.at(index), reason]),
    ahead: (_, timeMs) => told.push(['ahead', timeMs]),
    noted: (note) => told.push(['noted', note]),
    recordFailure: () => {},
    ...given,
  }
  const next = {
    events: (batch: Batch) => void out.push(batch.values()),
    watermark: (time: number) => void out.push({ watermark: time }),
  }
  return {
    step: takingArrays(make(next, context)),
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

function takingArrays(step: Step): ProbedStep {
  return new Proxy<ProbedStep>(step, {
    get(_, key) {
      if (key === 'events') return (events: readonly unknown[] | Batch) => step.events(batchFrom(events))
      const found: unknown = Reflect.get(step, key, step)
      return typeof found === 'function' ? found.bind(step) : found
    },
  })
}

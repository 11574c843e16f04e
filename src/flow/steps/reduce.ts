// reduce, emitAndReduce: one state out of many events, without windows.

import type { Reduce } from '../plan.ts'
import { type Fired, itemsOf, type Outcome } from '../reduce.ts'
import { give, type MakeStep, type Port, type StepContext } from '../step.ts'

/** One state for the stage, which fires at the end. */
export function reduce(operator: Reduce): MakeStep {
  const add = adderOf(operator)
  return (next, context) => {
    const box = { state: operator.create() }
    return {
      events: (batch) => add(box, batch, next),
      watermark: (time) => next.watermark(time),
      end() {
        fire(operator, box, WHOLE, next, context)
      },
    }
  }
}

/** The one window of a reduction without windows. */
const WHOLE = { window: { kind: 'global', id: 'global' }, trigger: { kind: 'end' } } as const

/** A state that calls replace. */
export interface Box {
  state: unknown
}

/** Takes a batch into a state; what `emitAndReduce` emits goes out in one batch. */
export function adderOf({ add, emits }: Reduce): (box: Box, batch: readonly unknown[], next: Port) => void {
  if (emits) {
    const step = add as (state: unknown, value: unknown) => readonly [readonly unknown[], unknown]
    return (box, batch, next) => {
      const out: unknown[] = []
      for (const event of batch) {
        const [emitted, state] = step(box.state, event)
        box.state = state
        for (const one of emitted) out.push(one)
      }
      give(next, out)
    }
  }
  const step = add as (state: unknown, value: unknown) => unknown
  return (box, batch) => {
    let state = box.state
    for (const event of batch) state = step(state, event)
    box.state = state
  }
}

/** Sends out what a firing gives, by the operator's own way, and goes on with the state that it leaves. */
export function fire(
  operator: Reduce,
  box: Box,
  { window, trigger }: Pick<Fired<unknown>, 'window' | 'trigger'>,
  next: Port,
  context: StepContext,
): void {
  const { onTrigger, emit } = operator
  if (onTrigger !== undefined) {
    const fired: Fired<unknown> = { state: box.state, partition: context.partition, window, trigger }
    const outcome = (onTrigger as (fired: Fired<unknown>) => Outcome<unknown, unknown> | undefined)(fired)
    if (outcome?.events !== undefined) give(next, [...outcome.events])
    if (outcome !== undefined && 'state' in outcome) box.state = outcome.state
  } else if (emit === 'events') give(next, [...itemsOf(box.state)])
  else if (emit === 'state') next.events([box.state])
}

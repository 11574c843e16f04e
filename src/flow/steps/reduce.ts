// reduce, emitAndReduce: one state over many events, without windows.

import type { Reduce } from '../plan.ts'
import { checkItems, type Fired, itemsOf, type Outcome } from '../reduce.ts'
import { keepable, stageState } from '../state-codec.ts'
import { giveResults, type MakeStep, type Port, type StepContext } from '../step.ts'
import type { Part } from './departition.ts'

/** One state for the stage, which fires at the end. */
export function reduce(operator: Reduce): MakeStep {
  const add = adderOf(operator)
  return (next, context) => {
    const box = { state: operator.create() }
    return {
      events(batch) {
        add(box, batch.values(), next)
        checkItems(operator, box.state)
      },
      watermark: (time) => next.watermark(time),
      snapshot: () => ({ state: keepable(operator.name, box.state) }),
      restore(saved) {
        box.state = stageState(operator.name, saved as readonly Box[], context)?.state
      },
      end() {
        const out: unknown[] = []
        if (operator.asParts) out.push({ window: WHOLE.window, state: box.state } satisfies Part)
        else outcomeOf(operator, box, WHOLE, out, context)
        giveResults(next, out)
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

/** Takes a batch into a state; what `emitAndReduce` emits is passed on in one batch. */
export function adderOf({ add, emits }: Reduce): (box: Box, values: readonly unknown[], next: Port) => void {
  if (emits) {
    const step = add as (state: unknown, value: unknown) => readonly [readonly unknown[], unknown]
    return (box, values, next) => {
      const out: unknown[] = []
      for (const event of values) {
        const [emitted, state] = step(box.state, event)
        box.state = state
        for (const one of emitted) out.push(one)
      }
      giveResults(next, out)
    }
  }
  const step = add as (state: unknown, value: unknown) => unknown
  return (box, values) => {
    let state = box.state
    for (const event of values) state = step(state, event)
    box.state = state
  }
}

/** What is emitted when a window fires, by the operator's own rule; the box holds the state that it continues with. */
export function outcomeOf(
  operator: Reduce,
  box: Box,
  { window, trigger }: Pick<Fired<unknown>, 'window' | 'trigger'>,
  out: unknown[],
  { partition }: StepContext,
): void {
  const { onTrigger, emit } = operator
  if (onTrigger !== undefined) {
    const fired: Fired<unknown> = { state: box.state, partition, window, trigger }
    const outcome = (onTrigger as (fired: Fired<unknown>) => Outcome<unknown, unknown> | undefined)(fired)
    for (const event of outcome?.events ?? []) out.push(event)
    if (outcome !== undefined && 'state' in outcome) box.state = outcome.state
  } else if (emit === 'events') for (const item of itemsOf(box.state)) out.push(item)
  else if (emit === 'state') out.push(box.state)
}

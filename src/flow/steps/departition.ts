// departition: the states of all partitions become one, for each window.

import type { Operator } from '../plan.ts'
import type { Fired } from '../reduce.ts'
import type { MakeStep } from '../step.ts'

type Window = Fired<unknown>['window']

/** A window's state as a reduction hands it to a departition. */
export interface Part {
  readonly window: Window
  readonly state: unknown
}

interface Open {
  readonly window: Window
  merged: unknown
}

/**
 * Merges what comes; a window is done when the watermark has passed it, `latenessMs` included, and at the end.
 */
export function departition(operator: Extract<Operator, { kind: 'departition' }>): MakeStep {
  const { create, latenessMs } = operator
  const merge = operator.merge as (merged: unknown, state: unknown) => unknown
  const done = operator.done as (merged: unknown, window: Window) => unknown
  return (next) => {
    const open = new Map<string | number, Open>()
    const finish = (isOver: (endMs: number) => boolean): void => {
      const over = [...open].filter(([, { window }]) => isOver(endOf(window)))
      over.sort(([, a], [, b]) => endOf(a.window) - endOf(b.window) || compareIds(a.window.id, b.window.id))
      for (const [id] of over) open.delete(id)
      if (over.length > 0) next.events(over.map(([, { merged, window }]) => done(merged, window)))
    }
    return {
      events(parts) {
        for (const { window, state } of parts as readonly Part[]) {
          const found = open.get(window.id) ?? { window, merged: create() }
          found.merged = merge(found.merged, state)
          open.set(window.id, found)
        }
      },
      watermark(time) {
        finish((endMs) => endMs + latenessMs <= time)
        next.watermark(time)
      },
      snapshot: () => (open.size === 0 ? undefined : [...open.values()].map((one) => ({ ...one }))),
      restore(saved) {
        for (const one of saved.flat() as Open[]) open.set(one.window.id, one)
      },
      end: () => finish(() => true),
    }
  }
}

function endOf({ endMs }: Window): number {
  return endMs ?? Number.POSITIVE_INFINITY
}

function compareIds(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1
}

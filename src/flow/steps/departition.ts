// departition: the states of all partitions become one, per window.

import { overLimit } from '../../base/over-limit.ts'
import type { Operator } from '../plan.ts'
import type { Fired } from '../reduce.ts'
import { giveResults, type MakeStep } from '../step.ts'

type Window = Fired<unknown>['window']

/** A window's state as a reduction passes it to a departition. */
export interface Part {
  readonly window: Window
  readonly state: unknown
  /** How many stages have a part of the window, if that alone tells that it is complete. */
  readonly parts?: number | undefined
}

interface Open {
  readonly window: Window
  merged: unknown
  /** How many parts have been merged. */
  count: number
}

/**
 * Merges parts as they come; a window is done when the watermark has passed it, `latenessMs` included, and at the end.
 * A count window is done when each stage has sent its part.
 */
export function departition(operator: Extract<Operator, { kind: 'departition' }>): MakeStep {
  const { name, create, latenessMs, maxOpen } = operator
  const merge = operator.merge as (merged: unknown, state: unknown) => unknown
  const done = operator.done as (merged: unknown, window: Window) => unknown
  return (next) => {
    const open = new Map<string | number, Open>()
    const finish = (isOver: (endMs: number) => boolean): void => {
      const over = [...open].filter(([, { window }]) => isOver(endOf(window)))
      over.sort(([, a], [, b]) => endOf(a.window) - endOf(b.window) || compareIds(a.window.id, b.window.id))
      for (const [id] of over) open.delete(id)
      giveResults(
        next,
        over.map(([, { merged, window }]) => done(merged, window)),
      )
    }
    return {
      events(batch) {
        const out: unknown[] = []
        for (const { window, state, parts: all } of batch.values() as readonly Part[]) {
          const found = open.get(window.id) ?? { window, merged: create(), count: 0 }
          found.merged = merge(found.merged, state)
          found.count += 1
          if (found.count === all) {
            open.delete(window.id)
            out.push(done(found.merged, found.window))
            continue
          }
          open.set(window.id, found)
          if (open.size > maxOpen)
            throw overLimit({ what: 'open window', operator: name, option: 'maxOpen', limit: maxOpen })
        }
        giveResults(next, out)
      },
      watermark(time) {
        finish((endMs) => endMs + latenessMs <= time)
        next.watermark(time)
      },
      snapshot: () => (open.size === 0 ? undefined : [...open.values()].map((one) => ({ ...one }))),
      restore(saved) {
        for (const one of saved.flat() as Open[]) open.set(one.window.id, { ...one, count: one.count ?? 0 })
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

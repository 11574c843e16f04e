// Joins: pairs of events of two flows with equal keys.

import { checkChoice, checkInteger, checkKeys } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import type { WindowSpec } from '../window/window.ts'
import { MOST_HELD } from './limit.ts'
import { checkFunction, nameOf, type StepOptions } from './name.ts'
import type { JoinMode, PlanNode } from './plan.ts'

/**
 * How two flows are joined. Each side's events are kept by key until the end, or the end of their window: a pair goes
 * out as soon as its second half has come; events without a partner, where the mode keeps them, at the end.
 */
export interface JoinOptions<L, R, M extends JoinMode> extends StepOptions {
  /** `inner` (default): pairs only. `left`, `right`, `full` keep events of that side that found no partner. */
  readonly mode?: M
  readonly left: (value: L) => Key
  readonly right: (value: R) => Key
  /** Only events of the same window meet; their time is read from either side's events. */
  readonly window?: WindowSpec<L | R>
  readonly stages?: number
  /**
   * The most events that are kept, in each stage, before the run fails: 1,000,000 by default. Sources are read at their own
   * speed: of one that is ahead, what its windows hold waits here for the other. Slow it where it can be far ahead.
   */
  readonly maxHeld?: number
}

/** A pair; the side that a mode can leave empty may be undefined. */
export type Joined<L, R, M extends JoinMode> = readonly [
  left: M extends 'right' | 'full' ? L | undefined : L,
  right: M extends 'left' | 'full' ? R | undefined : R,
]

export function joinNode<L, R, M extends JoinMode>(
  left: PlanNode,
  right: PlanNode,
  options: JoinOptions<L, R, M>,
): PlanNode {
  checkKeys('join', options, ['mode', 'left', 'right', 'window', 'stages', 'maxHeld', 'name'])
  const { mode = 'inner', stages, maxHeld = MOST_HELD, window } = options
  checkChoice('mode of join', mode, ['inner', 'left', 'right', 'full'])
  checkFunction('left of join', options.left)
  checkFunction('right of join', options.right)
  if (stages !== undefined) checkInteger('stages of join', stages, 1)
  checkInteger('maxHeld of join', maxHeld, 1)
  if (window !== undefined && window.kind !== 'tumbling' && window.kind !== 'global') {
    throw new TypeError(`join takes tumbling windows, or none: found ${window.kind}`)
  }
  const name = nameOf('join', left, options)
  return {
    operator: {
      kind: 'join',
      name,
      mode,
      left: options.left,
      right: options.right,
      window: window as never,
      stages,
      maxHeld,
    },
    inputs: [left, right],
  }
}

// Joins: pairs of events of two flows with equal keys, by functions or by names of fields.

import { checkChoice, checkInteger, checkKeys, describeValue } from '../base/check.ts'
import { checkNames, fieldsOfKey, keyOfFields } from '../base/field.ts'
import type { Key } from '../base/hash.ts'
import type { WindowSpec } from '../window/window.ts'
import type { AnyWindow, SharedNames } from './field-types.ts'
import { fieldsOf } from './fields.ts'
import { MOST_HELD } from './limit.ts'
import { checkFunction, nameOf, type StepOptions } from './name.ts'
import type { Joining, JoinMode, PlanNode } from './plan.ts'

interface JoinSettings<M extends JoinMode> extends StepOptions {
  /** `inner` (default): pairs only. `left`, `right`, `full` keep events of that side that found no partner. */
  readonly mode?: M
  readonly stages?: number
  /**
   * The most events that are held, in each stage, before the run fails: 1,000,000 by default. Sources are read at their
   * own speed: if one is ahead, the events of its windows wait here for the other. Slow it down if it can be far ahead.
   */
  readonly maxHeld?: number
}

/**
 * How two flows are joined. Each side's events are kept by key until the end, or the end of their window: a pair goes
 * out as soon as its second half has come; events without a partner, where the mode keeps them, at the end.
 */
export interface JoinOptions<L, R, M extends JoinMode> extends JoinSettings<M> {
  readonly left: (value: L) => Key
  readonly right: (value: R) => Key
  /** Only events of the same window meet; their time is read from either side's events. */
  readonly window?: WindowSpec<L | R>
}

/** How two flows are joined by fields that both have; otherwise as {@link JoinOptions}. */
export interface JoinByNameOptions<L, R, N extends string, M extends JoinMode> extends JoinSettings<M> {
  /** The fields by which events meet: both sides have them, and no others of one name. */
  readonly on: readonly [N, ...N[]]
  /** Only events of the same window meet; the field of the time is one that both sides have. */
  readonly window?: AnyWindow<L, 'tumbling' | 'global'> & AnyWindow<R, 'tumbling' | 'global'>
}

/** A pair; the side that a mode can leave empty may be undefined. */
export type Joined<L, R, M extends JoinMode> = readonly [
  left: M extends 'right' | 'full' ? L | undefined : L,
  right: M extends 'left' | 'full' ? R | undefined : R,
]

type Row = Readonly<Record<string, unknown>>

export function joinNode<L, R, M extends JoinMode>(
  left: PlanNode,
  right: PlanNode,
  options: JoinOptions<L, R, M> | JoinByNameOptions<L, R, SharedNames<L, R>, M>,
): PlanNode {
  const own = 'on' in options ? ['on'] : ['left', 'right']
  checkKeys('join', options, [...own, 'mode', 'window', 'stages', 'maxHeld', 'name'])
  const { mode = 'inner', stages, maxHeld = MOST_HELD } = options
  const window = options.window as WindowSpec<never> | undefined
  checkChoice('mode of join', mode, ['inner', 'left', 'right', 'full'])
  if (stages !== undefined) checkInteger('stages of join', stages, 1)
  checkInteger('maxHeld of join', maxHeld, 1)
  if (window !== undefined && window.kind !== 'tumbling' && window.kind !== 'global') {
    throw new TypeError(`join takes tumbling windows, or none: found ${window.kind}`)
  }
  const keys = 'on' in options ? byNames(options.on, mode, left, right) : byFunctions(options)
  const name = nameOf('join', left, options)
  return { operator: { kind: 'join', name, mode, window, stages, maxHeld, ...keys }, inputs: [left, right] }
}

type Keys = Pick<Joining, 'left' | 'right' | 'on' | 'pair'>

function byFunctions<L, R>({ left, right }: Pick<JoinOptions<L, R, 'inner'>, 'left' | 'right'>): Keys {
  checkFunction('left of join', left)
  checkFunction('right of join', right)
  return { left, right, on: undefined, pair: undefined }
}

function byNames(on: readonly unknown[], mode: JoinMode, left: PlanNode, right: PlanNode): Keys {
  if (!Array.isArray(on))
    throw new TypeError(`on of join takes names of fields as an array: found ${describeValue(on)}`)
  checkNames('on of join', on)
  const sides = { left: fieldsOf(left), right: fieldsOf(right) }
  const both = [...(sides.left?.keys() ?? [])].find((name) => !on.includes(name) && sides.right?.has(name))
  if (both !== undefined) throw clash(both)
  const absent = {
    left: mode === 'right' || mode === 'full' ? emptySide('left', on, sides.left) : {},
    right: mode === 'left' || mode === 'full' ? emptySide('right', on, sides.right) : {},
  }
  const key = keyOfFields(on)
  const pair = (one: unknown, other: unknown): Row => {
    const [held, found] = [one as Row | undefined, other as Row | undefined]
    const keys = fieldsOfKey(on, key((held ?? found) as never))
    if (held === undefined) return { ...keys, ...absent.left, ...found }
    if (found === undefined) return { ...keys, ...held, ...absent.right }
    for (const name of Object.keys(found)) if (Object.hasOwn(held, name) && !on.includes(name)) throw clash(name)
    return { ...keys, ...held, ...found }
  }
  return { left: key, right: key, on, pair }
}

/** What a row has of a side that has no event for it: its fields, which the plan must say, as null. */
function emptySide(side: string, on: readonly string[], fields: ReadonlyMap<string, unknown> | undefined): Row {
  if (fields !== undefined) {
    return Object.fromEntries([...fields.keys()].filter((name) => !on.includes(name)).map((name) => [name, null]))
  }
  const way = `end the ${side} flow with .select(…), which says it`
  throw new TypeError(`Cannot join by name where the ${side} side may be missing: its fields are not known; ${way}`)
}

function clash(name: string): TypeError {
  const way = 'give it another name on one side with .select(…), or join by it too'
  return new TypeError(`Cannot join by name: both sides have a field ${name}; ${way}`)
}

// Operators with several call forms, brought into the one form that the plan has.

import { fieldOf } from '../base/field.ts'
import type { Key } from '../base/hash.ts'
import { keyFrom } from './by-name.ts'
import { nameOf } from './name.ts'
import { deduplicating, type UniqOptions } from './operator-options.ts'
import type { Operator, PlanNode, Windowing } from './plan.ts'
import type { Grouping } from './reduce.ts'

/** `uniq` as it was called: with a function, with names of fields, or for events that are keys. */
export function uniqOf(node: PlanNode, given: readonly unknown[], window?: Windowing): Operator {
  const last = given.at(-1)
  const hasOptions = typeof last === 'object' && last !== null
  const options = (hasOptions ? last : {}) as UniqOptions
  const by = (hasOptions ? given.slice(0, -1) : given).filter((each) => each !== undefined)
  const [first] = by
  if (typeof first === 'function') {
    return deduplicating(nameOf('uniq', node, options, first), first as (value: never) => Key, options, window)
  }
  const name = nameOf('uniq', node, by.length === 0 ? options : { name: `uniq ${by.join(', ')}`, ...options })
  return deduplicating(name, by.length === 0 ? identity : keyFrom('uniq', by), options, window)
}

/** `groupBy` as it was called: with functions, or names of fields. */
export function groupingBy(key: unknown, value: unknown): Grouping {
  const read = typeof value === 'string' ? fieldOf(value) : value
  return { key: keyFrom('groupBy', key), value: read as Grouping['value'] }
}

function identity<T>(value: T): T {
  return value
}

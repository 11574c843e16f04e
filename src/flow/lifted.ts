// Operators as they work in a pipeline: what throws is refused alone, and functions get the value beside its origin.

import type { Key } from '../base/hash.ts'
import { type Traced, traced } from '../connect/origin.ts'
import { timeOf } from '../window/event-time.ts'
import type { At } from '../window/window.ts'
import { isStateless, type Operator, type Windowing } from './plan.ts'
import { guarded } from './steps/guarded.ts'

/** @param isTraced - whether its events come with their origins */
export function lifted(operator: Operator, isTraced: boolean): Operator {
  if (isStateless(operator))
    return { kind: 'guarded', name: operator.name, operator, make: guarded(operator, isTraced) }
  if (!isTraced) return operator
  switch (operator.kind) {
    case 'partition':
      return {
        ...operator,
        by: 'key' in operator.by ? { key: onValue(operator.by.key) } : { hash: onValue(operator.by.hash) },
      }
    case 'uniq':
      return { ...operator, by: onValue(operator.by), window: onTimes(operator.window) }
    case 'aggregate': {
      const { key, aggregate, window } = operator
      return {
        ...operator,
        key: key === undefined ? undefined : onValue(key),
        aggregate: { ...aggregate, add: addingValue(aggregate.add) },
        window: onTimes(window),
      }
    }
    case 'reduce':
      return { ...operator, add: addingValue(operator.add), window: onTimes(operator.window) }
    case 'join': {
      const { left, right, window } = operator
      return { ...operator, left: onValue(left), right: onValue(right), window: onTimes(window), isTraced: true }
    }
    case 'mapAsync': {
      const { key } = operator.settings
      return {
        ...operator,
        make: () => calling(operator.make()),
        settings: { ...operator.settings, key: key === undefined ? undefined : onValue(key) },
      }
    }
    default:
      return operator
  }
}

function onValue<R extends Key>(of: (value: never) => R): (event: Traced<never>) => R {
  return ({ value }) => of(value)
}

function addingValue<R>(add: (state: never, value: never) => R): (state: never, event: Traced<never>) => R {
  return (state, { value }) => add(state, value)
}

function onTimes(window: Windowing): Windowing {
  if (window === undefined || !('at' in window)) return window
  const at = window.at as At<unknown>
  return { ...window, at: ({ value }: Traced<unknown>) => timeOf(at, value) } as unknown as Windowing
}

type Call = (value: never, context: never) => unknown

function calling(call: Call): (event: Traced<never>, context: never) => unknown {
  return ({ value, origin }, context) => {
    const given = call(value, context)
    return given instanceof Promise ? given.then((later: unknown) => traced(later, origin)) : traced(given, origin)
  }
}

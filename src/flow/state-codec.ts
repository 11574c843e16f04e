// What can be stored of an operator's state, and what cannot.

import { SluiceError } from '../base/errors.ts'
import type { StepContext } from './step.ts'

const PLAIN: readonly unknown[] = [
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Date.prototype,
  RegExp.prototype,
  ArrayBuffer.prototype,
  null,
]

/**
 * A state made by a user function, if it can be restored as it is: an instance of a class would lose its methods.
 *
 * @throws {SluiceError} STATE_NOT_KEPT
 */
export function keepable(operator: string, state: unknown): unknown {
  if (typeof state === 'function' || typeof state === 'symbol') throw notKept(operator, `a ${typeof state}`)
  if (typeof state !== 'object' || state === null || ArrayBuffer.isView(state)) return state
  const prototype: unknown = Object.getPrototypeOf(state)
  if (PLAIN.includes(prototype)) return state
  throw notKept(operator, `an instance of ${(prototype as object).constructor?.name ?? 'a class'}`)
}

/**
 * The state of this stage, among those of all former stages: it belongs to a stage, not to keys, and cannot be
 * redistributed.
 *
 * @throws {SluiceError} STATE_NOT_KEPT if there are more or fewer stages now
 */
export function stageState<S>(operator: string, saved: readonly S[], { partition }: StepContext): S | undefined {
  const { total, index } = partition
  if (saved.length === total) return saved[index]
  const found = `it has one state for each of ${saved.length} stages, and now there are ${total}`
  throw new SluiceError('STATE_NOT_KEPT', `Cannot restore the state of ${operator}: ${found}`, { operator, found })
}

function notKept(operator: string, found: string): SluiceError<'STATE_NOT_KEPT'> {
  const message = `Cannot store the state of ${operator}: it is ${found}; plain objects, arrays, Maps and Sets can be kept`
  return new SluiceError('STATE_NOT_KEPT', message, { operator, found })
}

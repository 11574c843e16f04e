// Operators that look at one event at a time, in a pipeline: an event whose function throws is refused alone.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { messageOf } from '../../base/errors.ts'
import { unreachable } from '../../base/invariant.ts'
import { isPromise } from '../../base/promise.ts'
import { putParts, type Traced } from '../../connect/origin.ts'
import type { Stateless } from '../plan.ts'
import { give, type MakeStep, passing } from '../step.ts'
import { reasonsOf } from '../validation.ts'

/** Puts what becomes of a value into `out`; throws what its function throws. */
type Work = (value: unknown, out: unknown[]) => void

/** @param isTraced - whether events come, and go on, with their origins */
export function guarded(operator: Stateless, isTraced: boolean): MakeStep {
  return (next, context) => {
    const { name } = operator
    const work = workOf(operator)
    const made: unknown[] = []
    return passing(next, (batch) => {
      const out: unknown[] = []
      for (const event of batch) {
        made.length = 0
        try {
          work(isTraced ? (event as Traced<unknown>).value : event, made)
          if (isTraced) putParts(made, (event as Traced<unknown>).origin, out)
        } catch (error) {
          context.dead(name, event, messageOf(error))
          continue
        }
        if (!isTraced) for (const one of made) out.push(one)
      }
      give(next, out)
    })
  }
}

function workOf(operator: Stateless): Work {
  switch (operator.kind) {
    case 'map': {
      const fn = operator.fn as (value: unknown) => unknown
      return (value, out) => void out.push(fn(value))
    }
    case 'filter': {
      const keep = operator.keep as (value: unknown) => boolean
      return (value, out) => {
        if (keep(value)) out.push(value)
      }
    }
    case 'flatMap': {
      const fn = operator.fn as (value: unknown) => Iterable<unknown>
      return (value, out) => {
        for (const one of fn(value)) out.push(one)
      }
    }
    case 'validate':
      return (value, out) => void out.push(validated(operator.name, operator.schema, value))
    default:
      return unreachable(operator)
  }
}

/** Why a schema refuses an event: already in words. */
class Refusal extends Error {}

function validated(name: string, schema: StandardSchemaV1, value: unknown): unknown {
  const result = schema['~standard'].validate(value)
  if (isPromise(result)) throw new TypeError(`${name} cannot wait for its schema here: check with mapAsync`)
  const settled = result as StandardSchemaV1.Result<unknown>
  if (settled.issues !== undefined) throw new Refusal(reasonsOf(settled.issues))
  return settled.value
}

// Operators that look at one event at a time, several of them in one loop over a batch.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { generated } from '../../base/generated.ts'
import { isPromise } from '../../base/promise.ts'
import type { Stateless } from '../plan.ts'
import { give, type MakeStep, passing, type StepContext } from '../step.ts'
import { reasonsOf } from '../validation.ts'

/** A run of these is one step. */
export type Each = Exclude<Stateless, { kind: 'flatMap' }>

/** What an operator says of an event that goes no further. */
const GONE: unique symbol = Symbol('gone')
type One = (value: unknown) => unknown

/**
 * A run of `map`, `filter` and `validate` as one loop over the batch: no array between two of them.
 *
 * The loop is written as source text with one call site for each function, so that the engine can put the functions
 * themselves into the loop; where making code from text is not allowed, {@link eachByCalls} does the same, more slowly.
 */
export function each(operators: readonly Each[]): MakeStep {
  return (next, context) => {
    const loop = eachGenerated(operators, context) ?? eachByCalls(operators, context)
    return passing(next, (batch) => give(next, loop(batch)))
  }
}

type Loop = (batch: readonly unknown[]) => unknown[]

/** The clear version: each event through each operator in turn. */
export function eachByCalls(operators: readonly Each[], context: StepContext): Loop {
  const calls = operators.map((operator) => callOf(operator, context))
  return (batch) => {
    const out: unknown[] = []
    let event: unknown
    let at = 0
    try {
      for (event of batch) {
        let value: unknown = event
        for (at = 0; at < calls.length; at += 1) {
          value = calls[at]?.(value)
          if (value === GONE) break
        }
        if (value !== GONE) out.push(value)
      }
    } catch (error) {
      context.accuse(operators[at]?.name ?? '', [event])
      throw error
    }
    return out
  }
}

/** The fast version; undefined where code from text is not allowed. */
export function eachGenerated(operators: readonly Each[], context: StepContext): Loop | undefined {
  const lines = operators.map(({ kind }, index) => {
    const at = operators.length > 1 ? `at = ${index}; ` : ''
    if (kind === 'map') return `${at}value = f${index}(value)`
    if (kind === 'filter') return `${at}if (!f${index}(value)) continue`
    return `${at}value = f${index}(value); if (value === GONE) continue`
  })
  const body = `return (batch) => {
    const out = []
    let i = 0, at = 0
    try {
      for (; i < batch.length; i += 1) {
        let value = batch[i]
        ${lines.join('\n        ')}
        out.push(value)
      }
    } catch (error) {
      accuse(at, batch[i])
      throw error
    }
    return out
  }`
  const accuse = (at: number, event: unknown): void => context.accuse(operators[at]?.name ?? '', [event])
  const functions = operators.map((operator, index) => [
    `f${index}`,
    operator.kind === 'validate' ? callOf(operator, context) : fnOf(operator),
  ])
  return generated<Loop>(body, { GONE, accuse, ...Object.fromEntries(functions) })
}

function fnOf(operator: Exclude<Each, { kind: 'validate' }>): One {
  return (operator.kind === 'map' ? operator.fn : operator.keep) as One
}

function callOf(operator: Each, context: StepContext): One {
  if (operator.kind === 'map') return operator.fn as One
  if (operator.kind === 'validate') return validating(operator.name, operator.schema, context)
  const keep = operator.keep as One
  return (value) => (keep(value) ? value : GONE)
}

function validating(name: string, schema: StandardSchemaV1, context: StepContext): One {
  return (value) => {
    const result = schema['~standard'].validate(value)
    if (isPromise(result)) {
      throw new TypeError(`${name} cannot wait for its schema here: check with mapAsync, or in a pipeline`)
    }
    const settled = result as StandardSchemaV1.Result<unknown>
    if (settled.issues === undefined) return settled.value
    context.dead(name, value, reasonsOf(settled.issues))
    return GONE
  }
}

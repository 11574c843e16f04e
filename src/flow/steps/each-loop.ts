// The loop of a run of operators over a batch: as generated code, and as plain code.

import { generated } from '../../base/generated.ts'
import type { Stateless } from '../plan.ts'
import { type Check, REFUSED, WAITS } from '../validation.ts'

/** A run of these is one loop. */
export type Each = Exclude<Stateless, { kind: 'flatMap' }>

/** Receives the events that are passed on, and the indices of those they were made from. */
export interface Made {
  out: unknown[]
  readonly of: number[] | undefined
}

/** Called for events that are not passed on, for another reason than a filter. */
export interface LoopHooks {
  /** The operator at an index has rejected the event. */
  refused(at: number, index: number): void
  /** Its function threw. Throws if that is to fail the run. */
  failed(at: number, index: number, error: unknown): void
}

/** Where a loop stopped to wait for a schema; at -1 if it did not. */
export interface Stop {
  readonly at: number
  readonly index: number
}

export type Loop = (values: readonly unknown[], made: Made, hooks: LoopHooks) => Stop

type Checks = readonly (Check | undefined)[]

const NOWHERE: Stop = { at: -1, index: -1 }

/** The plain version: each event through each operator in turn. */
export function loopByCalls(operators: readonly Each[], checks: Checks, isGuarded: boolean, from = 0): Loop {
  const calls = operators.map((operator, at) => callOf(operator, checks[at]))
  return (values, { out, of }, hooks) => {
    for (const [index, event] of values.entries()) {
      let value: unknown = event
      let at = from
      try {
        for (; at < calls.length; at += 1) {
          value = calls[at]?.(value)
          if (value === GONE || value === REFUSED || value === WAITS) break
        }
      } catch (error) {
        hooks.failed(at, index, error)
        if (!isGuarded) return NOWHERE
        continue
      }
      if (value === WAITS) return { at, index }
      if (value === REFUSED) hooks.refused(at, index)
      else if (value !== GONE) {
        out.push(value)
        of?.push(index)
      }
    }
    return NOWHERE
  }
}

/**
 * The fast version: source text with one call site per function, so that the engine can inline the functions. Undefined
 * if generated code is not allowed.
 */
export function loopGenerated(
  operators: readonly Each[],
  checks: Checks,
  isGuarded: boolean,
  from = 0,
): Loop | undefined {
  const lines = operators.map(({ kind }, index) => {
    if (index < from) return ''
    const at = operators.length > 1 ? `at = ${index}; ` : ''
    if (kind === 'map') return `${at}value = f${index}(value)`
    if (kind === 'filter') return `${at}if (!f${index}(value)) continue`
    return `${at}value = f${index}.of(value)
        if (value === REFUSED) { hooks.refused(${index}, i); continue }
        if (value === WAITS) return { at: ${index}, index: i }`
  })
  const loop = (push: string): string => {
    const one = `let value = values[i]
        ${lines.join('\n        ')}
        ${push}`
    const failed = 'catch (error) { hooks.failed(at, i, error) }'
    if (isGuarded) return `for (; i < values.length; i += 1) { try { ${one} } ${failed} }`
    return `try { for (; i < values.length; i += 1) { ${one} } } ${failed}`
  }
  // Two loops: most batches have no origins, and a loop that checks at each event is slower.
  const body = `return (values, made, hooks) => {
    const out = made.out = []
    const { of } = made
    let i = 0, at = ${from}
    if (of === undefined) {
      ${loop('out.push(value)')}
    } else {
      ${loop('out.push(value); of.push(i)')}
    }
    return NOWHERE
  }`
  const functions = operators.map((operator, at) => [`f${at}`, checks[at] ?? fnOf(operator)])
  return generated<Loop>(body, { NOWHERE, REFUSED, WAITS, ...Object.fromEntries(functions) })
}

/** What a filter returns for an event that it drops. */
const GONE: unique symbol = Symbol('gone')
type One = (value: unknown) => unknown

function callOf(operator: Each, check: Check | undefined): One {
  if (check !== undefined) return (value) => check.of(value)
  const fn = fnOf(operator)
  return operator.kind === 'filter' ? (value) => (fn(value) ? value : GONE) : fn
}

function fnOf(operator: Each): One {
  if (operator.kind === 'map') return operator.fn as One
  if (operator.kind === 'filter') return operator.keep as One
  throw new TypeError(`${operator.name} needs its check`)
}

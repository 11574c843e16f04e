// What a plan does to a batch: each operator in turn, event by event, with failures kept apart.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { messageOf } from '../base/errors.ts'
import { unreachable } from '../base/invariant.ts'
import { isPromise } from '../base/promise.ts'
import { type DeadLetter, deadLetter, type Entry, type Origin, putParts, traced } from '../connect/origin.ts'
import type { Plan, Stateless } from './plan.ts'
import { reasonsOf } from './validation.ts'

type Entries = readonly Entry<unknown>[]
type Step = (entries: Entries, counts: KernelCounts) => Entries | Promise<Entries>

/** What a kernel has let go, and what it has made, beyond one for one. */
export interface KernelCounts {
  filtered: number
  derived: number
}

/**
 * Runs a plan over batches. An event whose function throws, or that a schema refuses, comes out as a dead letter in
 * its place; dead letters pass through. Waits only where a schema does.
 *
 * @example
 * const kernel = new Kernel(new Flow<number>().filter((n) => n > 1).plan)
 * const origin = { source: 'a', line: 1, offset: 0, raw: '1' }
 * kernel.run([{ kind: 'event', value: 1, origin }]) // => []
 * kernel.counts // => { filtered: 1, derived: 0 }
 */
export class Kernel {
  readonly #steps: readonly Step[]
  readonly counts: KernelCounts = { filtered: 0, derived: 0 }

  /** @param needsOrigins - whether the origins of what comes out are looked at */
  constructor(plan: Plan, needsOrigins = true) {
    this.#steps = plan.map((node, index) => stepOf(node, needsOrigins || index < plan.length - 1))
  }

  run(entries: Entries): Entries | Promise<Entries> {
    return this.#from(0, entries)
  }

  #from(first: number, entries: Entries): Entries | Promise<Entries> {
    let current = entries
    for (let index = first; index < this.#steps.length; index += 1) {
      const given = this.#steps[index]?.(current, this.counts) ?? current
      if (isPromise(given)) return given.then((later) => this.#from(index + 1, later))
      current = given
    }
    return current
  }
}

function stepOf(node: Stateless, needsOrigins: boolean): Step {
  switch (node.kind) {
    case 'map':
      return mapStep(node.name, node.fn as (value: unknown) => unknown)
    case 'filter':
      return filterStep(node.name, node.keep as (value: unknown) => boolean)
    case 'flatMap':
      return flatMapStep(node.name, node.fn as (value: unknown) => Iterable<unknown>, needsOrigins)
    case 'validate':
      return validateStep(node.name, node.schema)
    default:
      return unreachable(node)
  }
}

function mapStep(name: string, fn: (value: unknown) => unknown): Step {
  return (entries) =>
    entries.map((entry) => {
      if (entry.kind === 'dead') return entry
      try {
        return traced(fn(entry.value), entry.origin)
      } catch (error) {
        return deadLetter(entry.origin, name, messageOf(error))
      }
    })
}

function filterStep(name: string, keep: (value: unknown) => boolean): Step {
  return (entries, counts) => {
    const kept: Entry<unknown>[] = []
    for (const entry of entries) {
      if (entry.kind === 'dead') {
        kept.push(entry)
        continue
      }
      try {
        if (keep(entry.value)) kept.push(entry)
        else counts.filtered += 1
      } catch (error) {
        kept.push(deadLetter(entry.origin, name, messageOf(error)))
      }
    }
    return kept
  }
}

/** An event whose iterator throws half-way is one dead letter: nothing of it goes on. */
function flatMapStep(name: string, fn: (value: unknown) => Iterable<unknown>, needsOrigins: boolean): Step {
  return (entries, counts) => {
    const made: Entry<unknown>[] = []
    for (const entry of entries) {
      if (entry.kind === 'dead') {
        made.push(entry)
        continue
      }
      try {
        const { origin } = entry
        const values = [...fn(entry.value)]
        const isPlain = !needsOrigins && origin.only === undefined
        if (isPlain) for (const value of values) made.push(traced(value, origin))
        const put = isPlain ? values.length : putParts(values, origin, made)
        if (put === 0) counts.filtered += 1
        else counts.derived += put - 1
      } catch (error) {
        made.push(deadLetter(entry.origin, name, messageOf(error)))
      }
    }
    return made
  }
}

function validateStep(name: string, schema: StandardSchemaV1): Step {
  const validate = (entry: Entry<unknown>): Entry<unknown> | Promise<Entry<unknown>> => {
    if (entry.kind === 'dead') return entry
    try {
      const result = schema['~standard'].validate(entry.value)
      if (!isPromise(result)) return judged(name, entry.origin, result)
      return Promise.resolve(result).then(
        (later) => judged(name, entry.origin, later),
        (error: unknown) => deadLetter(entry.origin, name, messageOf(error)),
      )
    } catch (error) {
      return deadLetter(entry.origin, name, messageOf(error))
    }
  }
  return (entries) => {
    const results = entries.map(validate)
    return results.some(isPromise) ? Promise.all(results) : (results as Entries)
  }
}

function judged(name: string, origin: Origin, result: StandardSchemaV1.Result<unknown>): Entry<unknown> {
  return result.issues === undefined ? traced(result.value, origin) : refused(name, origin, result.issues)
}

function refused(name: string, origin: Origin, issues: readonly StandardSchemaV1.Issue[]): DeadLetter {
  return deadLetter(origin, name, reasonsOf(issues))
}

// The builder of flows: an immutable description, each call returns a longer one.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Plan, PlanNode } from './plan.ts'

/**
 * Describes what happens to each event between a source and a sink. Immutable: a flow can be kept, shared and
 * continued in two ways. It starts nothing.
 *
 * An event whose function throws, or that a schema refuses, becomes a dead letter with the operator's name; the others
 * go on.
 *
 * @example
 * const flow = new Flow<number>().map((n) => n * 2).filter((n) => n > 2)
 * flow.plan.map((node) => node.kind) // => ['map', 'filter']
 */
export class Flow<T> {
  readonly plan: Plan

  constructor(plan: Plan = []) {
    this.plan = plan
  }

  /** Each event becomes what `fn` gives for it. */
  map<U>(fn: (value: T) => U, options?: StepOptions): Flow<U> {
    return this.#then({ kind: 'map', name: this.#nameOf('map', fn, options), fn })
  }

  /** Keeps the events for which `keep` holds; the others are counted as filtered. */
  filter<U extends T>(keep: (value: T) => value is U, options?: StepOptions): Flow<U>
  filter(keep: (value: T) => boolean, options?: StepOptions): Flow<T>
  filter(keep: (value: T) => boolean, options?: StepOptions): Flow<T> {
    return this.#then({ kind: 'filter', name: this.#nameOf('filter', keep, options), keep })
  }

  /** Drops the events for which `drop` holds; they are counted as filtered. */
  reject(drop: (value: T) => boolean, options?: StepOptions): Flow<T> {
    return this.filter((value) => !drop(value), { name: this.#nameOf('reject', drop, options) })
  }

  /** Each event becomes the events that `fn` gives for it, in their order; none counts as filtered. */
  flatMap<U>(fn: (value: T) => Iterable<U>, options?: StepOptions): Flow<U> {
    return this.#then({ kind: 'flatMap', name: this.#nameOf('flatMap', fn, options), fn })
  }

  /**
   * Each event becomes the output of `schema`; one that it refuses becomes a dead letter with the schema's reasons.
   *
   * @param schema - any Standard Schema: Zod, Valibot, ArkType and others; it may wait
   * @see https://standardschema.dev
   */
  validate<S extends StandardSchemaV1<T>>(schema: S, options?: StepOptions): Flow<StandardSchemaV1.InferOutput<S>> {
    const name = options?.name ?? this.#numbered('validate')
    if (typeof schema?.['~standard']?.validate !== 'function') {
      throw new TypeError(`${name} takes a Standard Schema: found none`)
    }
    return this.#then({ kind: 'validate', name, schema })
  }

  #then<U>(node: PlanNode): Flow<U> {
    return new Flow<U>([...this.plan, node])
  }

  /** An operator's name: given, or its function's, or its kind and place; dead letters and diagrams show it. */
  #nameOf(kind: string, fn: unknown, options: StepOptions | undefined): string {
    if (typeof fn !== 'function') throw new TypeError(`${kind} takes a function: found ${typeof fn}`)
    return options?.name ?? (fn.name === '' ? this.#numbered(kind) : fn.name)
  }

  #numbered(kind: string): string {
    return `${kind} ${this.plan.length + 1}`
  }
}

export interface StepOptions {
  /** The operator's name in dead letters, logs and diagrams: by default its function's name, or its kind and place. */
  readonly name?: string
}

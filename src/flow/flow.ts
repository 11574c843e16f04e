// The builder of flows: an immutable description; each call returns a longer one.

import type { Aggregate } from '../aggregate/aggregate.ts'
import { fold } from '../aggregate/fold.ts'
import type { Ordered } from '../aggregate/min-max.ts'
import type { Aggregates, NameOf, NamesOf, ResultOf } from '../aggregate/record.ts'
import { checkChoice, checkInteger, checkKeys } from '../base/check.ts'
import { checkNames, fieldsReadBy, keyOfFields } from '../base/field.ts'
import type { Key } from '../base/hash.ts'
import type { ProducerConsumer } from '../stage/stage.ts'
import type { PaneWindow, WindowKind } from '../window/pane.ts'
import type { WindowSpec } from '../window/window.ts'
import { type AggregateOptions, type AggregateRow, aggregateOf, type Windowing } from './aggregate.ts'
import { comparingBy, deriving, selecting, splitting } from './by-name.ts'
import { checkFields } from './check-fields.ts'
import { comparing, comparisonText } from './compare.ts'
import { type EnrichByNameOptions, type EnrichOptions, enriching } from './enrich.ts'
import type {
  AnyWindow,
  ComparedWith,
  Comparison,
  Free,
  JoinedRow,
  KeyNames,
  NamedRow,
  Nullish,
  Passing,
  Renamed,
  SharedNames,
  Show,
  TextNames,
  Unclashing,
  ValuesOf,
  With,
} from './field-types.ts'
import { type JoinByNameOptions, type Joined, type JoinOptions, joinNode } from './join.ts'
import { MOST_HELD } from './limit.ts'
import { checkFunction, nameOf, type StepOptions, stepName } from './name.ts'
import {
  type BatchOptions,
  batching,
  type CallContext,
  type EmittedBy,
  type PartitionOptions,
  partitioning,
  type SortOptions,
  sortOf,
  type UniqOptions,
} from './operator-options.ts'
import { groupingBy, uniqOf } from './overloads.ts'
import type { EmitMode, JoinMode, Operator, PlanNode, Reduce } from './plan.ts'
import {
  departitionOf,
  type Emitted,
  type Fired,
  type GroupOptions,
  groupsOf,
  type Outcome,
  type ReduceOptions,
  reduceOf,
} from './reduce.ts'
import type { SchemaFor } from './schema.ts'
import { type MapAsyncOptions, waitSettings } from './wait.ts'

export type { StepOptions } from './name.ts'
export type { BatchOptions, CallContext, EmittedBy, PartitionOptions, UniqOptions } from './operator-options.ts'

/**
 * Describes a computation over events: where they come from, and what happens to them. Immutable: a flow can be stored,
 * shared and continued in two ways. It starts nothing: `collect`, `run` and `stream` do.
 *
 * In a pipeline, an event whose function throws, or that a schema rejects, becomes a dead letter with the operator's
 * name, and the others continue. Elsewhere, a function that throws fails the run, and events that a schema rejects are
 * passed to `onDead`.
 *
 * `State` is the state of the preceding reduction, for `onTrigger` and `emit`; never elsewhere.
 *
 * @example
 * const even = flow([1, 2, 3, 4]).filter((n) => n % 2 === 0)
 * await collect(even.map((n) => n * 10)) // => [20, 40]
 * @see Elixir's Flow
 */
export class Flow<out T, State = never, Kind extends WindowKind = WindowKind> {
  /** The last operator, with all that lie above it. */
  readonly node: PlanNode
  /** Only for the compiler: the type of events, the state of the preceding reduction, and the kind of its windows. */
  declare readonly events: T
  declare readonly state: State
  declare readonly windows: Kind

  constructor(node: PlanNode = { operator: { kind: 'input', name: 'input' }, inputs: [] }) {
    checkFields(node)
    this.node = node
  }

  // — one event at a time —

  /** Replaces each event by the result of `fn`. */
  map<U>(fn: (value: T) => U, options?: StepOptions): Flow<U> {
    checkFunction('map', fn)
    return this.#then({ kind: 'map', name: this.#name('map', options, fn), fn })
  }

  /** Keeps the events for which `keep` holds; the others are counted as filtered. */
  filter<U extends T>(keep: (value: T) => value is U, options?: StepOptions): Flow<U>
  filter(keep: (value: T) => boolean, options?: StepOptions): Flow<T>
  filter(keep: (value: T) => boolean, options?: StepOptions): Flow<T> {
    checkFunction('filter', keep)
    return this.#then({ kind: 'filter', name: this.#name('filter', options, keep), keep })
  }

  /** Drops the events for which `drop` holds; they are counted as filtered. */
  reject(drop: (value: T) => boolean, options?: StepOptions): Flow<T> {
    checkFunction('reject', drop)
    return this.filter((value) => !drop(value), { name: this.#name('reject', options, drop) })
  }

  /**
   * Keeps the events whose field compares with `value` as `op` says; the others are counted as filtered.
   *
   * A field that is null passes no comparison but `is`. Texts compare by code unit. NaN, and a value of another kind than
   * `value`, fails as a function that throws does.
   *
   * @example
   * const readings = flow([{ sensor: 'a', celsius: 21 }, { sensor: 'b', celsius: null }])
   * await collect(readings.where('celsius', '>', 20)) // => [{ sensor: 'a', celsius: 21 }]
   * await collect(readings.where('celsius', 'is', null)) // => [{ sensor: 'b', celsius: null }]
   */
  where<const N extends NameOf<T>, const Op extends Comparison>(
    field: N,
    op: Op,
    value: ComparedWith<T[N], Op>,
    options?: StepOptions,
  ): Flow<Passing<T, N, Op>> {
    const { keep, byColumn } = comparing(field, op, value)
    const name = this.#name('where', { name: comparisonText(field, op, value), ...options })
    return this.#then({ kind: 'filter', name, keep, byColumn, fields: { reads: [field] } })
  }

  /**
   * Each event with these fields only, in this order; given as an object, by new names.
   *
   * @example
   * await collect(flow([{ id: 1, name: 'ann', age: 30 }]).select('id', 'name')) // => [{ id: 1, name: 'ann' }]
   * await collect(flow([{ id: 1, name: 'ann' }]).select({ user: 'id' })) // => [{ user: 1 }]
   */
  select<const N extends readonly [NameOf<T>, ...NameOf<T>[]]>(...names: N): Flow<Show<Pick<T, N[number]>>>
  select<const M extends { readonly [name: string]: NameOf<T> }>(names: M): Flow<Renamed<T, M>>
  select(...given: readonly unknown[]): Flow<never> {
    const made = selecting(given)
    return this.#then({
      kind: 'map',
      name: this.#name('select', { name: `select ${made.fields.only?.join(', ')}` }),
      ...made,
    })
  }

  /**
   * Each event with the field `name`, which `fn` makes of the values of other fields. One that is there is replaced.
   *
   * @example
   * const readings = flow([{ celsius: 20 }])
   * await collect(readings.derive('fahrenheit', ['celsius'], (celsius) => celsius * 1.8 + 32)) // => [{ celsius: 20, fahrenheit: 68 }]
   */
  derive<const D extends string, const N extends readonly NameOf<T>[], V>(
    name: D,
    from: N,
    fn: (...values: ValuesOf<T, N>) => V,
    options?: StepOptions,
  ): Flow<With<T, D, V>> {
    const made = deriving(name, from, fn as never)
    return this.#then({ kind: 'map', name: this.#name('derive', { name: `derive ${name}`, ...options }), ...made })
  }

  /**
   * One event for each part of a text, in place of the field; other fields are kept. Empty parts are left out; a field
   * that is null gives no event.
   *
   * @example
   * await collect(flow([{ id: 1, tags: 'a,b' }]).split('tags', ',')) // => [{ id: 1, tags: 'a' }, { id: 1, tags: 'b' }]
   */
  split<const N extends TextNames<T>>(
    field: N,
    separator: string | RegExp,
    options?: StepOptions,
  ): Flow<With<T, N, string>> {
    const made = splitting(field, separator)
    return this.#then({ kind: 'flatMap', name: this.#name('split', { name: `split ${field}`, ...options }), ...made })
  }

  /**
   * Each event becomes the events that `fn` gives for it, in their order. An endless iterator is drawn as demanded.
   *
   * @example
   * await collect(flow(['a b', 'c']).flatMap((line) => line.split(' '))) // => ['a', 'b', 'c']
   */
  flatMap<U>(fn: (value: T) => Iterable<U>, options?: StepOptions): Flow<U> {
    checkFunction('flatMap', fn)
    return this.#then({ kind: 'flatMap', name: this.#name('flatMap', options, fn), fn })
  }

  /**
   * Replaces each event by the output of `schema`; an event that it rejects becomes a dead letter with the schema's
   * reasons. Does not compile if, by its types, the schema would reject every event.
   *
   * @param schema - any Standard Schema: Zod, Valibot, ArkType and others; it may be async, in a pipeline
   * @see https://standardschema.dev
   */
  validate<Input, Output>(schema: SchemaFor<T, Input, Output>, options?: StepOptions): Flow<Output> {
    const name = this.#name('validate', options)
    if (typeof schema?.['~standard']?.validate !== 'function') {
      throw new TypeError(`${name} takes a Standard Schema: found none`)
    }
    return this.#then({ kind: 'validate', name, schema })
  }

  // — several events —

  /** Events in groups of `size` (the last may be smaller), each becoming what `fn` gives for it. */
  mapBatch<R, U>(this: Flow<R, unknown>, fn: (batch: readonly R[]) => Iterable<U>, options: BatchOptions<R>): Flow<U> {
    checkFunction('mapBatch', fn)
    return this.batch(options).flatMap(fn, { name: nameOf('mapBatch', this.node, options, fn) })
  }

  /**
   * Arrays of `size` events; fewer at the end, and when `bytes` or `waitMs` is reached first. With `key`, each array
   * has events of one key.
   *
   * @example
   * await collect(flow([1, 2, 3]).batch({ size: 2 })) // => [[1, 2], [3]]
   */
  batch<R>(this: Flow<R, unknown>, options: BatchOptions<R>): Flow<readonly R[]> {
    return this.#then(batching(nameOf('batch', this.node, options), options))
  }

  /**
   * The first event of each key, as it comes; seen keys are remembered until the end, or as {@link UniqOptions} say.
   * The key is the event itself, the result of a function, or one or several fields.
   *
   * @example
   * await collect(flow([{ id: 1, v: 'a' }, { id: 1, v: 'b' }]).uniq('id')) // => [{ id: 1, v: 'a' }]
   */
  uniq(this: Flow<Key & T>, options?: UniqOptions): Flow<T>
  uniq(by: (value: T) => Key, options?: UniqOptions): Flow<T>
  uniq<R extends T, const N extends KeyNames<R>>(
    this: Flow<R>,
    ...fields: readonly [N, ...N[]] | readonly [N, ...N[], UniqOptions]
  ): Flow<T>
  uniq(...given: readonly unknown[]): Flow<T> {
    return this.#then(uniqOf(this.node, given))
  }

  /** The first `count` events; then the sources are closed. */
  take(count: number, options?: StepOptions): Flow<T> {
    const name = this.#name('take', options)
    checkInteger(`count of ${name}`, count, 0)
    return this.#then({ kind: 'take', name, count })
  }

  /** The first `count` events in the order of `compare`, as one array, once all events have been seen. */
  takeSort(count: number, compare: (a: T, b: T) => number, options?: StepOptions): Flow<readonly T[]> {
    const name = this.#name('takeSort', options)
    checkInteger(`count of ${name}`, count, 0)
    checkFunction(name, compare)
    return this.#then({ kind: 'takeSort', name, count, compare, maxHeld: MOST_HELD, isSpread: false, isOfRun: false })
  }

  /**
   * All events, in the order of a field, when all have been seen; of equal ones, those that came first. Null comes last.
   *
   * @example
   * await collect(flow([{ at: 2 }, { at: 1 }]).sort('at')) // => [{ at: 1 }, { at: 2 }]
   */
  sort<const N extends NamesOf<T, Ordered | Nullish>>(field: N, options: SortOptions = {}): Flow<T> {
    const { order, ...sorted } = sortOf('sort', field, options)
    return this.#then({ ...sorted, count: Number.POSITIVE_INFINITY, compare: comparingBy(field, order), isOfRun: true })
  }

  /**
   * The `count` events with the greatest values of a field, the greatest first, when all have been seen; of equal ones,
   * those that came first. Null comes last.
   *
   * @example
   * await collect(flow([{ bytes: 3 }, { bytes: 9 }, { bytes: 1 }]).top(2, 'bytes')) // => [{ bytes: 9 }, { bytes: 3 }]
   */
  top<const N extends NamesOf<T, Ordered | Nullish>>(count: number, field: N, options: SortOptions = {}): Flow<T> {
    const { order, ...sorted } = sortOf('top', field, { order: 'descending', ...options })
    checkInteger(`count of ${sorted.name}`, count, 0)
    return this.#then({ ...sorted, count, compare: comparingBy(field, order), isOfRun: false })
  }

  /**
   * One state over all events: of the partition if there is one, else of the whole flow. At the end its items are
   * emitted if it is iterable (an array, a Map, a Set), else the state itself; `emit` and `onTrigger` change that.
   *
   * @example
   * const longest = flow(['tea', 'ink', 'paper']).reduce(
   *   () => '',
   *   (longest, word) => (word.length > longest.length ? word : longest),
   * )
   * await collect(longest) // => ['paper']
   */
  reduce<S>(create: () => S, add: (state: S, value: T) => S, options?: ReduceOptions): Flow<Emitted<S>, S, 'global'> {
    return new Flow(reduceOf(this.node, { create, add, emits: false }, undefined, options))
  }

  /**
   * As `reduce`; the events that each call returns are emitted at once, the state at the end only if `emit` says so.
   *
   * @example
   * const running = flow([1, 2, 3]).emitAndReduce(
   *   () => 0,
   *   (sum, n) => [[sum + n], sum + n] as const,
   * )
   * await collect(running) // => [1, 3, 6]
   */
  emitAndReduce<S, U>(
    create: () => S,
    add: (state: S, value: T) => readonly [events: readonly U[], state: S],
    options?: ReduceOptions,
  ): Flow<U, S, 'global'> {
    return new Flow(reduceOf(this.node, { create, add, emits: true }, undefined, options))
  }

  /**
   * Key → the values of its events, in their order; emitted as entries at the end. Each key occurs once, even after a
   * partition by another key, of which only the number of stages is used then.
   *
   * @example
   * await collect(flow(['tea', 'ink', 'paper']).groupBy((word) => word.length)) // => [[3, ['tea', 'ink']], [5, ['paper']]]
   * await collect(flow([{ city: 'Rome', n: 1 }, { city: 'Rome', n: 2 }]).groupBy('city', 'n')) // => [['Rome', [1, 2]]]
   */
  groupBy<K extends Key, V = T>(
    key: (value: T) => K,
    value?: (event: T) => V,
    options?: GroupOptions,
  ): Flow<[K, V[]], Map<K, V[]>, 'global'>
  groupBy<R, const N extends KeyNames<R>, const M extends NameOf<R>>(
    this: Flow<R, unknown>,
    key: N,
    value: M,
    options?: GroupOptions,
  ): Flow<[NonNullable<R[N]>, R[M][]], Map<NonNullable<R[N]>, R[M][]>, 'global'>
  groupBy(key: unknown, value: unknown = identity, options: GroupOptions = {}): unknown {
    return new Flow(groupsOf(this.node, groupingBy(key, value), undefined, options))
  }

  /** What is emitted when a window fires: the whole `state`, its items (`events`), or `nothing`. After a reduction. */
  emit<M extends EmitMode>(mode: M): Flow<EmittedBy<M, State>, State, Kind> {
    checkChoice('mode of emit', mode, ['state', 'events', 'nothing'])
    return this.#reshape('emit', { emit: mode })
  }

  /** Decides what is emitted when a window fires, and with which state the window continues. After a reduction. */
  onTrigger<U = never>(fn: (fired: Fired<State, Kind>) => Outcome<U, State> | void): Flow<U, State, Kind> {
    checkFunction('onTrigger', fn)
    return this.#reshape('onTrigger', { onTrigger: fn })
  }

  /**
   * A result over all events: counts, sums, means, quantiles and others, by name. At the end, as one event.
   *
   * @example
   * await collect(flow([1, 2, 6]).aggregate({ n: count(), mean: mean((x: number) => x) })) // => [{ n: 3, mean: 3 }]
   */
  aggregate<S extends Aggregates<T>>(spec: S, options?: StepOptions): Flow<Show<ResultOf<T, S>>> {
    return new Flow(aggregateOf<T, S>(this.node, { spec, options }))
  }

  /**
   * The next operator works in windows of time, or of a number of events.
   *
   * @example
   * const counts = flow([{ at: 0 }, { at: 900 }, { at: 1100 }]).window(tumbling('1s', 'at')).aggregate({ n: count() })
   * await collect(counts) // => [{ windowStart: 0, windowEnd: 1000, n: 2 }, { windowStart: 1000, windowEnd: 2000, n: 1 }]
   */
  window<R, Kind extends WindowKind, Gives extends 'row' | 'window' = 'window'>(
    this: Flow<R, unknown>,
    window: AnyWindow<R, Kind, Gives>,
  ): Windowed<R, Kind, Gives> {
    return new Windowed(this.node, window as WindowSpec<never>)
  }

  /**
   * What follows is done for each key by itself: what a function gives, or a field, or several together.
   *
   * @example
   * await collect(flow([{ city: 'Rome' }, { city: 'Oslo' }, { city: 'Rome' }]).keyBy('city').aggregate({ n: count() }))
   * // => [{ city: 'Rome', n: 2 }, { city: 'Oslo', n: 1 }]
   * await collect(flow(['tea', 'ink']).keyBy((word) => word[0] ?? '').aggregate({ n: count() }))
   * // => [{ key: 't', n: 1 }, { key: 'i', n: 1 }]
   */
  keyBy<R, K extends Key>(this: Flow<R, unknown>, key: (value: R) => K): Keyed<R, K>
  keyBy<R, const N extends KeyNames<R>>(this: Flow<R, unknown>, field: N, ...more: readonly N[]): KeyedByName<R, N>
  keyBy(first: unknown, ...more: readonly unknown[]): unknown {
    const names = [first, ...more]
    if (typeof first === 'string') {
      checkNames('keyBy', names)
      return new KeyedByName(this.node, names, undefined)
    }
    checkFunction('keyBy', first)
    return new Keyed(this.node, first as (value: never) => Key, undefined)
  }

  // — other stages —

  /** The events with equal keys meet in one of `stages` stages, in their order. */
  partition<R>(this: Flow<R, unknown>, options: PartitionOptions<R>): Flow<R> {
    return this.#then(partitioning(nameOf('partition', this.node, options), options))
  }

  /** The next operators run in `stages` stages; whichever is free takes the next events. */
  shuffle(options: { readonly stages?: number } & StepOptions = {}): Flow<T> {
    checkKeys('shuffle', options, ['stages', 'name'])
    const { stages } = options
    if (stages !== undefined) checkInteger('stages of shuffle', stages, 1)
    return this.#then({ kind: 'shuffle', name: nameOf('shuffle', this.node, options), stages })
  }

  /**
   * The events of this flow and of the others, as they come. If a flow is merged several times, even with itself, each
   * event occurs as often.
   *
   * @example
   * await collect(flow([1]).merge(flow([2])).reduce(() => 0, (sum, n) => sum + n)) // => [3]
   */
  merge<U>(...others: readonly Flow<U, unknown>[]): Flow<T | U> {
    for (const other of others) if (!(other instanceof Flow)) throw new TypeError('merge takes flows')
    const name = this.#name('merge', undefined)
    return new Flow({ operator: { kind: 'merge', name }, inputs: [this.node, ...others.map(({ node }) => node)] })
  }

  /** The states of all partitions, merged into one per window; `done` returns the event to emit. */
  departition<M, U = M>(
    create: () => M,
    merge: (merged: M, state: State) => M,
    done: (merged: M, window: PaneWindow<Kind>) => U = identity as (merged: M) => U,
  ): Flow<U> {
    return new Flow(departitionOf(this.node, this.#reduction('departition'), { create, merge, done }))
  }

  /**
   * Pairs of events with equal keys, of this flow and of another; see {@link JoinOptions}. Joined by names, a pair is one
   * row: the keys once, then the fields of both, null where a side is missing.
   *
   * @example
   * const cities = flow([{ id: 1, city: 'Rome' }])
   * await collect(flow([{ id: 1, user: 'ann' }]).join(cities, { on: ['id'] })) // => [{ id: 1, user: 'ann', city: 'Rome' }]
   * const names = flow([{ id: 1, name: 'ann' }])
   * const orders = flow([{ user: 1, item: 'tea' }])
   * const pairs = orders.join(names, { left: ({ user }) => user, right: ({ id }) => id })
   * await collect(pairs.map(([{ item }, { name }]) => `${name}: ${item}`)) // => ['ann: tea']
   */
  join<U, M extends JoinMode = 'inner'>(other: Flow<U, unknown>, options: JoinOptions<T, U, M>): Flow<Joined<T, U, M>>
  join<L, U, const N extends SharedNames<L, U>, M extends JoinMode = 'inner'>(
    this: Flow<L, unknown>,
    other: Flow<U, unknown>,
    options: JoinByNameOptions<L, U, N, M> & Unclashing<L, U, N>,
  ): Flow<JoinedRow<L, U, N, M>>
  join(other: Flow<unknown, unknown>, options: object): unknown {
    return new Flow(joinNode(this.node, other.node, options as JoinOptions<unknown, unknown, JoinMode>))
  }

  /** Passes everything through stages of your own, which are made for each run. */
  throughStages<U>(
    make: () => ProducerConsumer<T, U> | readonly ProducerConsumer<T, U>[],
    options?: StepOptions,
  ): Flow<U> {
    checkFunction('throughStages', make)
    const name = this.#name('throughStages', options)
    return this.#then({ kind: 'throughStages', name, make: () => [make()].flat() })
  }

  // — async work —

  /**
   * Replaces each event by the result of the promise of `fn`; up to `concurrency` calls at a time.
   *
   * @example
   * await collect(flow([1, 2, 3]).mapAsync(async (n) => n * 2, { concurrency: 2 })) // => [2, 4, 6]
   */
  mapAsync<R, U>(
    this: Flow<R, unknown>,
    fn: (value: R, context: CallContext) => PromiseLike<U> | U,
    options: MapAsyncOptions<R> = {},
  ): Flow<U> {
    checkFunction('mapAsync', fn)
    const name = nameOf('mapAsync', this.node, options, fn)
    return this.#then({ kind: 'mapAsync', name, make: () => fn, settings: waitSettings(name, options) })
  }

  /**
   * Replaces each event by the result of `fn` for it and the lookup of its key; lookups are kept in a bounded cache.
   *
   * @example
   * const named = flow([1, 2, 1]).enrich({ key: (id) => id, lookup: async (id) => `user ${id}`, into: (_, name) => name })
   * await collect(named) // => ['user 1', 'user 2', 'user 1']
   */
  enrich<K extends Key, V, U>(options: EnrichOptions<T, K, V, U>): Flow<U>
  enrich<R, const N extends KeyNames<R>, V, U>(
    this: Flow<R, unknown>,
    options: EnrichByNameOptions<R, N, V, U>,
  ): Flow<U>
  enrich(given: object): unknown {
    const options = given as EnrichOptions<never, never, unknown, unknown>
    const name = nameOf('enrich', this.node, options)
    return this.#then({ kind: 'mapAsync', name, make: enriching(options), settings: waitSettings(name, options) })
  }

  #then<U>(operator: Operator): Flow<U> {
    return new Flow<U>({ operator, inputs: [this.node] })
  }

  #name(kind: string, options: StepOptions | undefined, fn?: unknown): string {
    return stepName(kind, this.node, options, fn)
  }

  #reduction(what: string): Reduce {
    const { operator } = this.node
    if (operator.kind === 'reduce') return operator
    throw new TypeError(`${what} follows a reduction (reduce, emitAndReduce, groupBy): found ${operator.name}`)
  }

  #reshape<U>(what: string, change: Pick<Partial<Reduce>, 'emit' | 'onTrigger'>): Flow<U, State, Kind> {
    return new Flow({ operator: { ...this.#reduction(what), ...change }, inputs: this.node.inputs })
  }
}

/** What follows `window`: it is done for each window by itself, and goes out when the window fires. */
export class Windowed<T, Kind extends WindowKind = WindowKind, Row extends 'row' | 'window' = 'window'> {
  readonly #node: PlanNode
  readonly #window: Windowing

  constructor(node: PlanNode, window: Windowing) {
    this.#node = node
    this.#window = window
  }

  /** As {@link Flow.reduce}, one state per window. */
  reduce<S>(create: () => S, add: (state: S, value: T) => S, options?: ReduceOptions): Flow<Emitted<S>, S, Kind> {
    return new Flow(reduceOf(this.#node, { create, add, emits: false }, this.#window, options))
  }

  /** As {@link Flow.emitAndReduce}, one state per window. */
  emitAndReduce<S, U>(
    create: () => S,
    add: (state: S, value: T) => readonly [events: readonly U[], state: S],
    options?: ReduceOptions,
  ): Flow<U, S, Kind> {
    return new Flow(reduceOf(this.#node, { create, add, emits: true }, this.#window, options))
  }

  /** As {@link Flow.groupBy}, per window. */
  groupBy<K extends Key, V = T>(
    key: (value: T) => K,
    value?: (event: T) => V,
    options?: GroupOptions,
  ): Flow<[K, V[]], Map<K, V[]>, Kind>
  groupBy<R, const N extends KeyNames<R>, const M extends NameOf<R>>(
    this: Windowed<R, Kind, Row>,
    key: N,
    value: M,
    options?: GroupOptions,
  ): Flow<[NonNullable<R[N]>, R[M][]], Map<NonNullable<R[N]>, R[M][]>, Kind>
  groupBy(key: unknown, value: unknown = identity, options: GroupOptions = {}): unknown {
    return new Flow(groupsOf(this.#node, groupingBy(key, value), this.#window, options))
  }

  /**
   * The first event of each key in each window, as it comes. Count windows count the events of all keys together: the
   * first three events are the first `countWindow(3)`, whatever their keys.
   */
  uniq(by: (value: T) => Key, options?: StepOptions): Flow<T>
  uniq<R extends T, const N extends KeyNames<R>>(
    this: Windowed<R, Kind, Row>,
    ...fields: readonly [N, ...N[]] | readonly [N, ...N[], StepOptions]
  ): Flow<T>
  uniq(...given: readonly unknown[]): Flow<T> {
    return new Flow({ operator: uniqOf(this.#node, given, this.#window), inputs: [this.#node] })
  }

  /** As {@link Flow.aggregate}, a result for each window: a row with its start and end where `at` is a field, else `{ window, … }`. */
  aggregate<S extends Aggregates<T>>(
    spec: S & ([Row] extends ['row'] ? Free<never> : unknown),
    options?: StepOptions,
  ): Flow<[Row] extends ['row'] ? NamedRow<T, never, S, Kind> : Show<AggregateRow<never, T, S, Kind>>> {
    const window = this.#window
    const row = window !== undefined && 'at' in window && fieldsReadBy(window.at) !== undefined ? [] : undefined
    return new Flow(aggregateOf<T, S>(this.#node, { spec, window, row, options }))
  }
}

/** What follows `keyBy`: it works per key. */
export class Keyed<T, K extends Key, Kind extends WindowKind = never> {
  readonly #node: PlanNode
  // `never`: a flow of anything accepts a flow of T, whose keys nobody else may ask for.
  readonly #key: (value: never) => K
  readonly #window: Windowing

  constructor(node: PlanNode, key: (value: T) => K, window: Windowing) {
    this.#node = node
    this.#key = key
    this.#window = window
  }

  /** Windows of time, or of a number of events, for each key. */
  window<Kind extends WindowKind>(window: AnyWindow<T, Kind>): Keyed<T, K, Kind> {
    return new Keyed(this.#node, this.#key, window as WindowSpec<never>)
  }

  /** A result for each key, and each window if there is one: `{ key, window, …results }`. */
  aggregate<S extends Aggregates<T>>(
    spec: S,
    options?: AggregateOptions,
  ): Flow<Show<[Kind] extends [never] ? { readonly key: K } & ResultOf<T, S> : AggregateRow<K, T, S, Kind>>> {
    return new Flow(
      aggregateOf<T, S>(this.#node, { spec, key: this.#key as (value: T) => K, window: this.#window, options }),
    )
  }

  /** One state for each key, and each window if there is one: a result `{ key, window, value }` when it fires. */
  fold<S>(
    create: () => S,
    add: (state: S, value: T) => S,
    merge?: (into: S, other: S) => S,
  ): Flow<
    ([Kind] extends [never] ? unknown : { readonly window: PaneWindow<Kind> }) & { readonly key: K; readonly value: S }
  > {
    const value = merge === undefined ? fold({ create, add }) : fold({ create, add, merge })
    return new Flow(aggregateOf(this.#node, { spec: { value }, key: this.#key, window: this.#window }))
  }
}

/** What follows `keyBy` with names: results are rows with the fields of their key. */
export class KeyedByName<T, N extends PropertyKey, Kind extends WindowKind = never> {
  readonly #node: PlanNode
  readonly #names: readonly string[]
  readonly #window: Windowing

  constructor(node: PlanNode, names: readonly string[], window: Windowing) {
    this.#node = node
    this.#names = names
    this.#window = window
  }

  /** Windows of time, or of a number of events, for each key. */
  window<Kind extends WindowKind>(window: AnyWindow<T, Kind>): KeyedByName<T, N, Kind> {
    return new KeyedByName(this.#node, this.#names, window as WindowSpec<never>)
  }

  /**
   * A row for each key, and each window if there is one: the key's fields, `windowStart` and `windowEnd` in epoch
   * milliseconds (`windowIndex` of a count window), and the results.
   */
  aggregate<S extends Aggregates<T>>(spec: S & Free<N>, options?: AggregateOptions): Flow<NamedRow<T, N, S, Kind>> {
    return new Flow(this.#aggregating(spec, options))
  }

  /** One state for each key, and each window if there is one: a row with `value` when it fires. */
  fold<S>(
    create: () => S,
    add: (state: S, value: T) => S,
    merge?: (into: S, other: S) => S,
  ): Flow<NamedRow<T, N, { readonly value: Aggregate<T, S> }, Kind>> {
    const value = merge === undefined ? fold({ create, add }) : fold({ create, add, merge })
    return new Flow(this.#aggregating({ value }, undefined))
  }

  #aggregating(spec: Aggregates<T>, options: AggregateOptions | undefined): PlanNode {
    const [key, window, row] = [keyOfFields(this.#names), this.#window, this.#names]
    return aggregateOf<T, Aggregates<T>>(this.#node, { spec, key: key as (value: T) => Key, window, row, options })
  }
}

function identity<T>(value: T): T {
  return value
}

// Operators in windows: a state per key and window, and what is emitted when a window fires.

import type { Key } from '../../base/hash.ts'
import { plainKey } from '../../base/key-table.ts'
import { type Batch, batchOf, mapped, oneOf } from '../../connect/batch.ts'
import type { WindowPartial } from '../../window/assigner.ts'
import { Combiner } from '../../window/combiner.ts'
import type { Fold } from '../../window/fold.ts'
import { floorTo, type Granularity } from '../../window/granularity.ts'
import type { Pane, PaneWindow } from '../../window/pane.ts'
import { Panes } from '../../window/panes.ts'
import { mergeSnapshots, type PanesSnapshot } from '../../window/snapshot.ts'
import type { WindowSpec } from '../../window/window.ts'
import { tellsWhy } from '../fields.ts'
import type { Aggregating, Operator, Reduce } from '../plan.ts'
import { checkItems } from '../reduce.ts'
import { keepable, stageState } from '../state-codec.ts'
import { give, giveResults, type MakeStep, type Port, type Step, type StepContext } from '../step.ts'
import { keyer, keyFieldsOf } from './aggregate.ts'
import { type ColumnWindows, columnWindows } from './column-windows.ts'
import type { Part } from './departition.ts'
import type { Any } from './member-states.ts'
import { type Box, outcomeOf } from './reduce.ts'

/** The parts of a windowed operator: a key, a fold, and what becomes of its panes. */
export interface WindowWork {
  readonly name: string
  readonly window: WindowSpec<unknown>
  readonly keyOf: (event: unknown) => Key
  /** Makes the fold; events that its calls emit go to `out`. */
  readonly fold: (out: unknown[]) => Fold<unknown, unknown>
  /** What is emitted for a pane, before anything else. */
  readonly show: (pane: Pane<unknown>, out: unknown[], context: StepContext) => void
  /** A key for which the global window has a result even without events. */
  readonly ensure: Key | undefined
  /** Whether there is a state per stage, in contrast to one per key. */
  readonly isStageBound: boolean
  /** Whether the fold emits the event itself, with its origin. */
  readonly isPassing?: boolean
  /** Makes a table that folds events by their fields, if that is possible. */
  readonly byColumn?: () => ColumnWindows | undefined
  /** Whether consumers of the panes must know how far the clock has advanced, even without panes. */
  readonly tellsClock?: boolean
}

/** Without a key, all events have this one. */
const ALL = ''

/** A reduction has one state for each window. */
export function reduceWork(operator: Reduce): WindowWork {
  const { name, window, create, add, emits, asParts } = operator
  const step = add as (state: unknown, event: unknown) => unknown
  return {
    name,
    window: window as WindowSpec<unknown>,
    keyOf: () => ALL,
    ensure: ALL,
    isStageBound: !operator.isGlobal,
    tellsClock: asParts && window?.kind === 'processingTime',
    fold: (out) => ({
      save: (box) => ({ state: structuredClone(keepable(name, (box as Box).state)) }),
      create: (): Box => ({ state: create() }),
      add(box, event) {
        const made = step((box as Box).state, event)
        if (emits) {
          const [events, state] = made as readonly [readonly unknown[], unknown]
          for (const one of events) out.push(one)
          ;(box as Box).state = state
        } else (box as Box).state = made
        checkItems(operator, (box as Box).state)
        return box
      },
    }),
    show(pane, out, context) {
      const { window, value, trigger, isLast } = pane
      const box = value as Box
      if (!asParts) return outcomeOf(operator, box, { window, trigger }, out, context)
      // Count windows close in each stage by its own events.
      const parts = window.kind === 'count' ? context.partition.total : undefined
      if (isLast) out.push({ window, state: box.state, parts } satisfies Part)
    },
  }
}

/** An aggregation has one state per key and window, which may have started further up. */
export function aggregateWork(operator: Aggregating): WindowWork {
  const { name, key, row } = operator
  const keyFields = keyFieldsOf(operator)
  const window = operator.window as WindowSpec<unknown>
  const { create, add, merge, save, load, result } = operator.aggregate as unknown as Any
  const repeats = tellsWhy(window)
  const fold = { create, add, save, load, ...(merge === undefined ? {} : { merge }) }
  return {
    name,
    window,
    keyOf: plainly(keyer(operator)),
    ensure: key === undefined ? ALL : undefined,
    isStageBound: false,
    fold: () => fold,
    byColumn: () => columnWindows(operator),
    show({ key: of, window: place, value, trigger, isLast }, out) {
      const begun = Object.assign(keyFields(of), row === undefined ? { window: place } : fieldsOfWindow(place))
      const why = { trigger: row === undefined ? trigger : trigger.kind, isLast }
      out.push(Object.assign(begun, repeats ? why : undefined, result(value)))
    },
  }
}

/** What a row has of its window. */
function fieldsOfWindow({ kind, id, startMs, endMs }: PaneWindow): Record<string, unknown> {
  if (kind === 'count') return { windowIndex: id }
  return kind === 'global' ? {} : { windowStart: startMs, windowEnd: endMs }
}

/** Keys of panes lie in Maps: invalid ones are rejected here. */
function plainly(keyOf: (event: unknown) => Key): (event: unknown) => Key {
  return (event) => plainKey(keyOf(event))
}

/**
 * The first event of each key in each window, as it comes: the fold stores only that there was one. A count window
 * spans all keys, and stores those that it has seen.
 */
export function uniqWork({ name, by, window }: Extract<Operator, { kind: 'uniq' }>): WindowWork {
  const keyOf = (event: unknown): Key => plainKey((by as (event: unknown) => Key)(event))
  const isCount = window?.kind === 'count'
  return {
    name,
    window: window as WindowSpec<unknown>,
    keyOf: isCount ? () => ALL : keyOf,
    ensure: undefined,
    isStageBound: false,
    isPassing: true,
    fold: isCount ? (out) => seenKeys(keyOf, out) : firstOfKey,
    show: () => {},
  }
}

function firstOfKey(out: unknown[]): Fold<unknown, unknown> {
  return {
    create: () => false,
    add(isKnown, event) {
      if (isKnown !== true) out.push(event)
      return true
    },
    merge: () => true,
  }
}

function seenKeys(keyOf: (event: unknown) => Key, out: unknown[]): Fold<unknown, unknown> {
  return {
    create: () => new Set<Key>(),
    add(seen, event) {
      const keys = seen as Set<Key>
      const before = keys.size
      if (keys.add(keyOf(event)).size > before) out.push(event)
      return keys
    },
  }
}

/** How windows are fed. */
export interface WindowFeed {
  /** Whether partial results come from a {@link combining} step further up, beside events. */
  readonly isCombined: boolean
  /** Whether their times are read by one input alone. */
  readonly isSole: () => boolean
}

/** From events, or from events and partial results, to panes. */
export function windowed(work: WindowWork, feed: WindowFeed): MakeStep {
  return (next, context) => new Windows(work, feed, next, context)
}

class Windows implements Step {
  readonly #work: WindowWork
  readonly #isCombined: boolean
  readonly #next: Port
  readonly #context: StepContext
  readonly #panes: Panes<unknown, unknown>
  readonly #emit: (pane: Pane<unknown>) => void
  readonly #fold: Fold<unknown, unknown>
  /** Whether the clock decides when windows fire. */
  readonly #isTimed: boolean
  /** The windows of the clock, if consumers of the panes need them; how far they were passed on. */
  readonly #grid: Granularity | undefined
  #toldMs = Number.NEGATIVE_INFINITY
  /** When the next of them passes, by the monotonic clock; until they are passed on. */
  #comingMs: number | undefined
  readonly #byColumn: ColumnWindows | undefined
  /** What the current call emits. */
  #out: unknown[] = []
  /** The current event: a late one belongs to this batch. */
  #batch: Batch = batchOf([])
  #at = 0

  constructor(work: WindowWork, { isCombined, isSole }: WindowFeed, next: Port, context: StepContext) {
    this.#work = work
    this.#isCombined = isCombined
    this.#next = next
    this.#context = context
    const { window } = work
    this.#fold = work.fold(this.#out)
    // An event that is not late by its own input may be a gap after the others.
    const holdMs = window.kind === 'session' && !isSole() ? window.gapMs : 0
    this.#panes = new Panes(window, this.#fold, {
      onLate: (_, event) => this.#late(event),
      holdMs,
      operator: work.name,
    })
    this.#byColumn = work.byColumn?.()
    this.#emit = (pane) => work.show(pane, this.#out, context)
    this.#grid =
      work.tellsClock === true && window.kind === 'processingTime'
        ? { ms: window.sizeMs, offsetMs: window.offsetMs }
        : undefined
    this.#isTimed = window.kind === 'processingTime' || window.triggers.some(({ kind }) => kind === 'interval')
  }

  events(batch: Batch): void {
    if (this.#isTimed) this.#pass()
    const left = this.#isCombined ? undefined : this.#byColumn?.add(batch, this.#panes.watermarkMs)
    if (left === undefined) this.#eachOf(batch)
    else if (left.length > 0) this.#eachOf(batch.select(left))
    if ((this.#byColumn?.size ?? 0) >= PARTIALS_HELD) this.#drain()
  }

  #eachOf(batch: Batch): void {
    this.#drain()
    this.#batch = batch
    const values = batch.values()
    if (this.#work.isPassing === true) return this.#sieve(values)
    const { keyOf } = this.#work
    for (this.#at = 0; this.#at < values.length; this.#at += 1) {
      const event = values[this.#at]
      if (this.#isCombined) this.#merge(event as Sent)
      else this.#panes.add(keyOf(event), event, this.#emit)
    }
    this.#flush()
  }

  /** Passes on the events that the fold selects. */
  #sieve(values: readonly unknown[]): void {
    const passed: number[] = []
    const { keyOf } = this.#work
    for (this.#at = 0; this.#at < values.length; this.#at += 1) {
      const event = values[this.#at]
      this.#panes.add(keyOf(event), event, this.#emit)
      if (this.#out.length === 0) continue
      this.#out.length = 0
      passed.push(this.#at)
    }
    give(this.#next, this.#batch.select(passed))
  }

  /** What was folded by fields goes into the windows. */
  #drain(): void {
    if (this.#byColumn === undefined || this.#byColumn.size === 0) return
    for (const partial of this.#byColumn.drain()) this.#panes.merge(partial, this.#emit)
  }

  watermark(time: number): void {
    this.#drain()
    this.#panes.watermark(time, this.#emit)
    this.#flush()
    if (this.#grid === undefined) this.#next.watermark(time)
  }

  end(): void {
    const { ensure } = this.#work
    this.#drain()
    this.#panes.end(this.#emit, ensure === undefined ? {} : { ensure })
    this.#flush()
  }

  snapshot(): PanesSnapshot {
    this.#drain()
    return this.#panes.snapshot()
  }

  restore(saved: readonly unknown[]): void {
    const { name, isStageBound } = this.#work
    const snapshots = saved as readonly PanesSnapshot[]
    if (isStageBound) this.#panes.restore(stageState(name, snapshots, this.#context) as PanesSnapshot)
    else this.#panes.restore(mergeSnapshots(snapshots, this.#context.owns))
  }

  get nextTickMs(): number | undefined {
    if (!this.#isTimed) return undefined
    if (this.#grid !== undefined) return this.#nextPassMs(this.#grid)
    const { nextTickMs } = this.#panes
    if (nextTickMs === Number.POSITIVE_INFINITY) return undefined
    const { wallMs, nowMs } = this.#context
    return nextTickMs === Number.NEGATIVE_INFINITY ? nowMs() : nowMs() + nextTickMs - wallMs()
  }

  tick(): void {
    this.#pass()
    this.#flush()
  }

  /** The clock has advanced; consumers of the panes learn which windows have passed, after their panes. */
  #pass(): void {
    const wallMs = this.#context.wallMs()
    this.#panes.tick(wallMs, this.#emit)
    if (this.#grid === undefined) return
    const passedMs = floorTo(this.#grid, wallMs)
    if (passedMs <= this.#toldMs) return
    this.#toldMs = passedMs
    this.#comingMs = undefined
    this.#flush()
    this.#next.watermark(passedMs)
  }

  #nextPassMs(grid: Granularity): number {
    const { wallMs, nowMs } = this.#context
    this.#comingMs ??= nowMs() + floorTo(grid, wallMs()) + grid.ms - wallMs()
    return this.#comingMs
  }

  mark(name: string): void {
    this.#panes.mark(name, this.#emit)
    this.#flush()
  }

  #merge([key, startMs, endMs, events, held]: Sent): void {
    if (events === 0) return this.#panes.add(key, held, this.#emit)
    const { load = (saved: unknown) => saved } = this.#fold
    this.#panes.merge({ key, startMs, endMs, events, acc: load(held) }, this.#emit)
  }

  #late(event: unknown): void {
    this.#context.late(this.#work.name, oneOf(this.#batch, this.#at, event), 0)
  }

  /** The fold writes into the same array: it is emptied, not replaced. */
  #flush(): void {
    if (this.#out.length === 0) return
    const out = this.#out.slice()
    this.#out.length = 0
    giveResults(this.#next, out)
  }
}

/** What travels from a {@link combining} step: a partial result, or, with 0 events, an event as it is. */
export type Sent = readonly [key: Key, startMs: number, endMs: number, events: number, held: unknown]

/** Partial results held before they are emitted: they are merged further down in any case. */
const PARTIALS_HELD = 50_000

/** Combines events before an exchange: fewer things travel. */
export function combining(work: WindowWork): MakeStep {
  return (next) => {
    const fold = work.fold([])
    const { save = (acc: unknown) => acc } = fold
    const combiner = new Combiner(work.window, fold, work.name)
    const sentOf = ({ key, startMs, endMs, events, acc }: WindowPartial<unknown>): Sent => [
      key,
      startMs,
      endMs,
      events,
      save(acc),
    ]
    const byColumn = work.byColumn?.()
    let watermarkMs = Number.NEGATIVE_INFINITY
    const drain = (): void => {
      const partials = [...combiner.drainPartials(), ...(byColumn?.drain() ?? [])]
      giveResults(next, partials.map(sentOf))
    }
    return {
      events(given) {
        const left = byColumn?.add(given, watermarkMs)
        const batch = left === undefined ? given : given.select(left)
        if ((byColumn?.size ?? 0) >= PARTIALS_HELD) drain()
        if (batch.length === 0) return
        const asTheyAre: Sent[] = []
        const of: number[] = []
        for (const [index, event] of batch.values().entries()) {
          const key = work.keyOf(event)
          if (combiner.add(key, event)) continue
          asTheyAre.push([key, 0, 0, 0, event])
          of.push(index)
        }
        give(next, mapped(batch, asTheyAre, of))
        if (combiner.size >= PARTIALS_HELD) drain()
      },
      watermark(time) {
        drain()
        watermarkMs = Math.max(watermarkMs, time)
        combiner.watermark(time)
        next.watermark(time)
      },
      flush: drain,
      end: drain,
    }
  }
}

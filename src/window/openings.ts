// The open states: their limit, their changes, and what makes them fire.

import { describeValue } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import { overLimit } from '../base/over-limit.ts'
import type { Fold } from './fold.ts'
import { byEnd, type Group, type Open, windowOf } from './open.ts'
import type { Emit } from './pane.ts'
import type { FiredBy, Trigger } from './trigger.ts'
import type { WindowSpec } from './window.ts'

const LATE: FiredBy = { kind: 'late' }

/** Opens states, and fires what an event makes fire. */
export class Openings<T, A> {
  readonly #spec: WindowSpec<T>
  readonly #fold: Fold<T, A>
  readonly #operator: string
  readonly #everies: readonly (Trigger & { readonly kind: 'every' })[]
  readonly #hasInterval: boolean
  readonly #firesLate: boolean
  #count = 0
  /** The next order to give. */
  #orders = 0
  /** What changed since the last interval; some of it may have fired, or be gone. */
  #changed: Open<A>[] = []
  /** What late events changed since the last step of the watermark. */
  readonly #late = new Set<Open<A>>()

  /**
   * @param operator - for errors
   */
  constructor(spec: WindowSpec<T>, fold: Fold<T, A>, operator: string) {
    this.#spec = spec
    this.#fold = fold
    this.#operator = operator
    this.#everies = spec.triggers.filter((trigger) => trigger.kind === 'every')
    this.#hasInterval = spec.triggers.some(({ kind }) => kind === 'interval')
    this.#firesLate = spec.triggers.some(({ kind }) => kind === 'late')
  }

  /** How many states are open. */
  get count(): number {
    return this.#count
  }

  /** Whether an interval would find any change. */
  get hasChanged(): boolean {
    return this.#changed.length > 0
  }

  nextOrder(): number {
    this.#orders += 1
    return this.#orders - 1
  }

  /** Opens a state; `given` overrides the initial values. */
  open(key: Key, group: Group<A>, acc: A, given: Partial<Omit<Open<A>, 'key' | 'group' | 'acc'>> = {}): Open<A> {
    const { maxOpen } = this.#spec
    if (this.#count >= maxOpen) {
      const what = `window (of the key ${describeValue(key)})`
      throw overLimit({ what, operator: this.#operator, option: 'maxOpen', limit: maxOpen })
    }
    this.#count += 1
    const order = given.order ?? this.nextOrder()
    this.#orders = Math.max(this.#orders, order + 1)
    return { key, group, acc, events: 0, panes: 0, isChanged: false, isListed: false, empties: 0, ...given, order }
  }

  /** This many states are no longer open. */
  closed(count: number): void {
    this.#count -= count
  }

  /** Events came into `open`, which held `before`. Fires at most once. */
  added(open: Open<A>, before: number, emit: Emit<A>): void {
    open.isChanged = true
    if (this.#everies.length > 0) {
      const every = this.#everies.find(({ events }) => Math.floor(open.events / events) > Math.floor(before / events))
      if (every !== undefined) return this.fire(open, every, false, emit)
    }
    if (open.group.isPast) {
      if (this.#firesLate) return this.fire(open, LATE, false, emit)
      this.#late.add(open)
    }
    if (this.#hasInterval) this.list(open)
  }

  /** The next interval fires it, unless it fires before. */
  list(open: Open<A>): void {
    if (open.isListed) return
    open.isListed = true
    this.#changed.push(open)
  }

  /** A restored state takes its place among the changed ones. */
  restored(open: Open<A>): void {
    if (!open.isChanged) return
    if (open.group.isPast) this.#late.add(open)
    if (this.#hasInterval) this.list(open)
  }

  /** Emits a pane. */
  fire(open: Open<A>, trigger: FiredBy, isLast: boolean, emit: Emit<A>): void {
    const { key, group, acc: value, panes: index } = open
    open.panes += 1
    open.isChanged = false
    if (this.#spec.panes === 'discard' && !isLast) open.acc = this.#fold.create()
    emit({ key, window: windowOf(this.#spec.kind, group), trigger, index, isLast, value })
  }

  /** Fires what late events changed. */
  fireLate(emit: Emit<A>): void {
    if (this.#late.size === 0) return
    const late = [...this.#late].filter(isOwing).sort(byEnd)
    this.#late.clear()
    for (const open of late) this.fire(open, LATE, false, emit)
  }

  /** Fires what changed since the last interval. */
  fireChanged(trigger: FiredBy, emit: Emit<A>): void {
    const changed = this.#changed
    this.#changed = []
    for (const open of changed) open.isListed = false
    for (const open of changed.filter(isOwing).sort(byEnd)) this.fire(open, trigger, false, emit)
  }
}

function isOwing<A>({ isChanged, group }: Open<A>): boolean {
  return isChanged && !group.isGone
}

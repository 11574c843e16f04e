// Count windows: a number of events of a key. They are not in time, and nothing is ever late.

import type { Key } from '../../base/hash.ts'
import type { RestoredGroup, Taken, WindowAssigner, WindowState } from '../assigner.ts'
import { type Group, groupOf, type Open } from '../open.ts'
import type { Emit } from '../pane.ts'
import type { FiredBy } from '../trigger.ts'

const FULL: FiredBy = { kind: 'count' }

/** Count windows of each key. */
export class Counted<T, A> implements WindowAssigner<T, A> {
  readonly #state: WindowState<T, A>
  readonly #size: number
  /** Key → its window, with the number of those before it. It may be empty: nobody sees it then. */
  readonly #byKey = new Map<Key, Open<A>>()

  constructor(state: WindowState<T, A>, spec: { readonly events: number }) {
    this.#state = state
    this.#size = spec.events
  }

  add(key: Key, event: T, _timeMs: number, emit: Emit<A>): Taken {
    const { fold, openings } = this.#state
    let open = this.#byKey.get(key)
    if (open === undefined) open = this.#open(key, 0, fold.add(fold.create(), event))
    else open.acc = fold.add(open.acc, event)
    open.events += 1
    if (open.events < this.#size) {
      openings.added(open, open.events - 1, emit)
      return 'all'
    }
    open.group.isGone = true
    openings.closed(1)
    this.#open(key, Number(open.group.id) + 1, fold.create(), { order: open.order })
    openings.fire(open, FULL, true, emit)
    return 'all'
  }

  groups(): Iterable<Group<A>> {
    return [...this.#byKey.values()].map(({ group }) => group)
  }

  close(group: Group<A>): void {
    for (const { key } of group.members.values()) {
      this.#byKey.delete(key)
      this.#state.openings.closed(1)
    }
  }

  restore({ members, ...given }: RestoredGroup<A>): void {
    for (const { key, acc, ...rest } of members) {
      const open = this.#open(key, Number(given.id), acc, rest)
      this.#state.openings.restored(open)
    }
  }

  #open(key: Key, id: number, acc: A, given: Partial<Omit<Open<A>, 'key' | 'group' | 'acc'>> = {}): Open<A> {
    const order = given.order ?? this.#state.openings.nextOrder()
    const members: Open<A>[] = []
    const [startMs, endMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    const group: Group<A> = groupOf({ id, startMs, endMs, order, members, isPast: false, steppedMs: startMs })
    const open = this.#state.openings.open(key, group, acc, { ...given, order })
    members.push(open)
    this.#byKey.set(key, open)
    return open
  }
}

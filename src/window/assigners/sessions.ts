// Sessions: windows that grow with their events, and merge. One group holds a window of one key.

import type { Key } from '../../base/hash.ts'
import { Ring } from '../../base/ring.ts'
import type { RestoredGroup, Taken, WindowAssigner, WindowPartial, WindowState } from '../assigner.ts'
import { type Group, groupOf, type Open } from '../open.ts'
import type { Emit } from '../pane.ts'

interface Session<A> extends Group<A> {
  /** Its one member. */
  readonly members: Open<A>[]
}

/** What enters a session: an event, or events that were folded before. */
interface Arrival<T, A> {
  readonly event?: T
  readonly partial?: WindowPartial<A>
}

/** Sessions of each key, by binary search. An event that meets no other session extends its own in place. */
export class Sessions<T, A> implements WindowAssigner<T, A> {
  readonly #state: WindowState<T, A>
  readonly #gapMs: number
  readonly #maxLengthMs: number
  /** Key → its sessions by start. No two of a key overlap. */
  readonly #byKey = new Map<Key, Session<A>[]>()
  /** Key → the end of its last closed session: nothing before it can be in a session any more. */
  readonly #closed = new Map<Key, number>()
  /** The same in the order in which they were closed, for eviction. */
  readonly #closings = new Ring<{ readonly key: Key; readonly endMs: number }>(2)

  constructor(state: WindowState<T, A>, spec: { readonly gapMs: number; readonly maxLengthMs: number }) {
    this.#state = state
    this.#gapMs = spec.gapMs
    this.#maxLengthMs = spec.maxLengthMs
  }

  add(key: Key, event: T, timeMs: number, emit: Emit<A>): Taken {
    const sessions = this.#byKey.get(key)
    if (sessions !== undefined) {
      const at = lastStartingBy(sessions, timeMs)
      const session = sessions[at]
      if (session !== undefined && timeMs < session.endMs && !session.isPast) {
        const endMs = Math.max(session.endMs, Math.min(timeMs + this.#gapMs, session.startMs + this.#maxLengthMs))
        const next = sessions[at + 1]
        if (next === undefined || next.startMs >= endMs) {
          this.#extend(session, endMs, event, emit)
          return 'all'
        }
      }
    }
    return this.#place(key, timeMs, timeMs + this.#gapMs, { event }, emit)
  }

  merge(partial: WindowPartial<A>, emit: Emit<A>): Taken {
    return this.#place(partial.key, partial.startMs, partial.endMs, { partial }, emit)
  }

  *groups(): Iterable<Group<A>> {
    for (const sessions of this.#byKey.values()) yield* sessions
  }

  close(group: Group<A>, isEnd: boolean): void {
    const [open] = (group as Session<A>).members
    if (open === undefined) return
    this.#remove(group as Session<A>, open)
    if (isEnd) return
    this.restoreClosed(open.key, group.endMs)
    this.#forget()
  }

  closed(): Iterable<readonly [key: Key, endMs: number]> {
    return this.#closed
  }

  restoreClosed(key: Key, endMs: number): void {
    // In the order of their ends, as a snapshot stores them.
    this.#closed.delete(key)
    this.#closed.set(key, endMs)
    this.#closings.push({ key, endMs })
  }

  /**
   * Forgets closed sessions that no event can meet: one that is not late, or meets an open session, comes after them.
   */
  #forget(): void {
    const { timeMs, latenessMs } = this.#state
    for (let next = this.#closings.peek(); next !== undefined; next = this.#closings.peek()) {
      const { key, endMs } = next
      if (endMs + 2 * this.#gapMs + latenessMs > timeMs) return
      this.#closings.shift()
      // A key with an open session is checked again when that closes.
      if (this.#closed.get(key) === endMs && !this.#byKey.has(key)) this.#closed.delete(key)
    }
  }

  #remove(session: Session<A>, open: Open<A>): void {
    const sessions = this.#byKey.get(open.key)
    if (sessions === undefined) return
    sessions.splice(sessions.indexOf(session), 1)
    if (sessions.length === 0) this.#byKey.delete(open.key)
    this.#state.openings.closed(1)
  }

  restore({ members, ...given }: RestoredGroup<A>): void {
    const session: Session<A> = groupOf({ ...given, members: [] as Open<A>[] })
    for (const { key, acc, ...rest } of members) {
      const open = this.#state.openings.open(key, session, acc, rest)
      session.members.push(open)
      this.#insert(key, session)
      this.#state.openings.restored(open)
    }
    this.#state.timetable.add(session)
  }

  /** Adds an event to a session that is not past and meets no other: the timetable is corrected when its time comes. */
  #extend(session: Session<A>, endMs: number, event: T, emit: Emit<A>): void {
    const { fold, openings } = this.#state
    const open = session.members[0] as Open<A>
    const before = open.events
    open.acc = fold.add(open.acc, event)
    open.events = before + 1
    session.endMs = endMs
    openings.added(open, before, emit)
  }

  /** Puts a span from `fromMs` to `toMs` into a new session, which replaces those that it meets. */
  #place(key: Key, fromMs: number, toMs: number, arrival: Arrival<T, A>, emit: Emit<A>): Taken {
    const { timeMs, latenessMs, openings, timetable } = this.#state
    if (fromMs < (this.#closed.get(key) ?? Number.NEGATIVE_INFINITY)) return 'none'
    const sessions = this.#byKey.get(key) ?? []
    const { startMs, endMs, met } = this.#meet(sessions, fromMs, toMs)
    if (met.length === 0 && endMs + latenessMs <= timeMs) return 'none'
    const acc = this.#foldAll(met, fromMs, arrival)
    const opens = met.map((session) => session.members[0] as Open<A>)
    const before = Math.max(0, ...opens.map(({ events }) => events))
    const events = opens.reduce((sum, open) => sum + open.events, arrival.partial?.events ?? 1)
    const panes = Math.max(0, ...opens.map((open) => open.panes))
    for (const session of met) {
      this.#remove(session, session.members[0] as Open<A>)
      timetable.drop(session)
    }
    const order = Math.min(...opens.map((open) => open.order), openings.nextOrder())
    const members: Open<A>[] = []
    const isPast = latenessMs > 0 && endMs <= timeMs
    const session: Session<A> = groupOf({ id: startMs, startMs, endMs, order, members, isPast, steppedMs: timeMs })
    const open = openings.open(key, session, acc, { order, events, panes })
    members.push(open)
    this.#insert(key, session)
    timetable.add(session)
    openings.added(open, before, emit)
    return 'all'
  }

  /** Which sessions a span of time meets, and the span they make together. */
  #meet(
    sessions: readonly Session<A>[],
    fromMs: number,
    toMs: number,
  ): { readonly startMs: number; readonly endMs: number; readonly met: readonly Session<A>[] } {
    const at = lastStartingBy(sessions, fromMs)
    const around = sessions[at]
    const met: Session<A>[] = around !== undefined && fromMs < around.endMs ? [around] : []
    const startMs = met[0]?.startMs ?? fromMs
    let endMs = Math.max(met[0]?.endMs ?? fromMs, Math.min(toMs, startMs + this.#maxLengthMs))
    for (let next = at + 1; next < sessions.length; next += 1) {
      const session = sessions[next] as Session<A>
      if (session.startMs >= endMs) break
      const joinedMs = Math.max(endMs, session.endMs)
      if (joinedMs - startMs > this.#maxLengthMs) {
        endMs = session.startMs
        break
      }
      endMs = joinedMs
      met.push(session)
    }
    return { startMs, endMs, met }
  }

  /** The states of the sessions in order of time, with the new part in its place. */
  #foldAll(met: readonly Session<A>[], fromMs: number, { event, partial }: Arrival<T, A>): A {
    const { fold } = this.#state
    const merge = fold.merge as NonNullable<typeof fold.merge>
    const [first, ...others] = met
    const isFirst = first !== undefined && first.startMs <= fromMs
    let acc: A
    if (partial === undefined) acc = fold.add(isFirst ? accOf(first) : fold.create(), event as T)
    else acc = isFirst ? merge(accOf(first), partial.acc) : partial.acc
    for (const session of isFirst ? others : met) acc = merge(acc, accOf(session))
    return acc
  }

  #insert(key: Key, session: Session<A>): void {
    const sessions = this.#byKey.get(key)
    if (sessions === undefined) this.#byKey.set(key, [session])
    else sessions.splice(lastStartingBy(sessions, session.startMs) + 1, 0, session)
  }
}

function accOf<A>(session: Session<A>): A {
  return (session.members[0] as Open<A>).acc
}

/** The index of the last session that starts at `timeMs` or before; -1 if there is no such session. */
function lastStartingBy<A>(sessions: readonly Session<A>[], timeMs: number): number {
  let low = 0
  let high = sessions.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sessions[middle] as Session<A>).startMs <= timeMs) low = middle + 1
    else high = middle
  }
  return low - 1
}

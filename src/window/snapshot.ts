// What is open as plain data for JSON, and back.

import type { Key } from '../base/hash.ts'
import type { RestoredGroup } from './assigner.ts'
import type { Fold } from './fold.ts'
import type { Group } from './open.ts'

/** A number or key that JSON does not support, as text. */
interface Written {
  readonly type: 'number' | 'bigint'
  readonly text: string
}

/** A window and the states in it, as plain data. */
export interface SavedGroup {
  readonly id: number | 'global'
  readonly startMs: number | Written
  readonly endMs: number | Written
  readonly order: number
  readonly isPast: boolean
  readonly steppedMs: number | Written
  readonly members: readonly SavedMember[]
}

interface SavedMember {
  readonly key: Key | Written
  readonly order: number
  readonly acc: unknown
  readonly events: number
  readonly panes: number
  readonly isChanged: boolean
  readonly empties: number
}

/**
 * The whole state of a window machine, as plain data: JSON supports it if it supports what the fold's `save` returns.
 */
export interface PanesSnapshot {
  readonly window: string
  readonly timeMs: number | Written
  readonly late: number
  readonly partlyLate: number
  readonly groups: readonly SavedGroup[]
  /** The last sessions of keys that were closed; absent if no session was closed. */
  readonly closed?: readonly SavedClosed[]
}

interface SavedClosed {
  readonly key: Key | Written
  readonly endMs: number
}

export function saveGroup<A>(group: Group<A>, fold: Fold<never, A>): SavedGroup {
  const { id, startMs, endMs, order, isPast, steppedMs } = group
  const save = fold.save ?? structuredClone
  const members = [...group.members.values()].map(({ key, acc, ...open }): SavedMember => {
    const { order, events, panes, isChanged, empties } = open
    return { key: write(key), acc: save(acc), order, events, panes, isChanged, empties }
  })
  return { id, startMs: write(startMs), endMs: write(endMs), order, isPast, steppedMs: write(steppedMs), members }
}

export function loadGroup<A>(saved: SavedGroup, fold: Fold<never, A>): RestoredGroup<A> {
  const load = fold.load ?? (structuredClone as (acc: unknown) => A)
  return {
    ...saved,
    startMs: read(saved.startMs),
    endMs: read(saved.endMs),
    steppedMs: read(saved.steppedMs),
    members: saved.members.map((member) => ({ ...member, key: read(member.key), acc: load(member.acc) })),
  }
}

/** A key or a time for JSON: a bigint, an infinity and the like as text. */
export function write<K extends Key>(key: K): K | Written {
  if (typeof key === 'bigint') return { type: 'bigint', text: `${key}` }
  return typeof key === 'number' && !Number.isFinite(key) ? { type: 'number', text: `${key}` } : key
}

export function read<K extends Key>(saved: K | Written): K {
  if (typeof saved !== 'object') return saved
  return (saved.type === 'bigint' ? BigInt(saved.text) : Number(saved.text)) as K
}

/**
 * The snapshots of parallel machines as one, for a machine that takes the keys that `owns` selects. They are of the
 * same moment, and so of the same event time.
 */
export function mergeSnapshots(saved: readonly PanesSnapshot[], owns: (key: Key) => boolean): PanesSnapshot {
  const [first] = saved
  if (first === undefined) throw new RangeError('Cannot merge snapshots: found 0, needs at least one')
  const groups = new Map<string, SavedGroup>()
  for (const { window, groups: own } of saved) {
    if (window !== first.window)
      throw new RangeError(`Cannot merge a snapshot of ${window} into one of ${first.window}`)
    for (const group of own) {
      const members = group.members.filter(({ key }) => owns(read(key)))
      if (members.length === 0) continue
      // Windows on a grid hold all keys; others hold one key, which is in one snapshot only.
      const id = isOnGrid(window) ? `${group.id}` : `${groups.size}`
      const known = groups.get(id)
      groups.set(
        id,
        known === undefined ? { ...group, members } : { ...known, members: [...known.members, ...members] },
      )
    }
  }
  const { closed: _, ...others } = first
  const closed = saved.flatMap((one) => one.closed ?? []).filter(({ key }) => owns(read(key)))
  return {
    ...others,
    late: saved.reduce((sum, { late }) => sum + late, 0),
    partlyLate: saved.reduce((sum, { partlyLate }) => sum + partlyLate, 0),
    groups: [...groups.values()],
    ...(closed.length > 0 ? { closed } : {}),
  }
}

function isOnGrid(window: string): boolean {
  return !window.startsWith('session(') && !window.startsWith('count(')
}

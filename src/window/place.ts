// Which assigner a window uses, and what it requires of a fold.

import { fieldsReadBy } from '../base/field.ts'
import type { WindowAssigner, WindowState } from './assigner.ts'
import { Aligned, firstStart, type Grid } from './assigners/aligned.ts'
import { Counted } from './assigners/counted.ts'
import { Sessions } from './assigners/sessions.ts'
import type { Fold } from './fold.ts'
import { Openings } from './openings.ts'
import { Timetable } from './timetable.ts'
import type { EventTimeWindow, WindowSpec } from './window.ts'

/** Whether windows close by the watermark, and have a function that reads the time of an event. */
export function isEventTime<T>(spec: WindowSpec<T>): spec is EventTimeWindow<T> {
  return spec.kind === 'tumbling' || spec.kind === 'sliding' || spec.kind === 'session'
}

/**
 * Rejects a fold that cannot do what the window requires.
 *
 * @throws {TypeError} if windows merge and states do not
 */
export function checkFold<T, A>(spec: WindowSpec<T>, fold: Fold<T, A>): void {
  if (spec.kind !== 'session' || fold.merge !== undefined) return
  throw new TypeError('Cannot fold events in sessions: sessions merge, and this fold has no merge')
}

/**
 * @param holdMs - how long after its time a window is closed
 */
export function windowStateOf<T, A>(
  spec: WindowSpec<T>,
  fold: Fold<T, A>,
  operator: string,
  holdMs = 0,
): WindowState<T, A> {
  const early = spec.triggers.find((trigger) => trigger.kind === 'early')
  const latenessMs = isEventTime(spec) ? spec.allowedLatenessMs : 0
  return {
    fold,
    latenessMs,
    openings: new Openings(spec, fold, operator),
    timetable: new Timetable(latenessMs, early?.ms ?? 0, holdMs),
    timeMs: Number.NEGATIVE_INFINITY,
  }
}

export function assignerOf<T, A>(spec: WindowSpec<T>, state: WindowState<T, A>): WindowAssigner<T, A> {
  switch (spec.kind) {
    case 'session':
      return new Sessions(state, spec)
    case 'count':
      return new Counted(state, spec)
    case 'global':
    case 'tumbling':
    case 'sliding':
    case 'processingTime':
      return new Aligned(state, gridOf(spec))
  }
}

/** The grid of a window that has one; that of the global window is one endless cell. */
export function gridOf<T>(spec: Exclude<WindowSpec<T>, { kind: 'session' | 'count' }>): Grid {
  const endless = Number.POSITIVE_INFINITY
  if (spec.kind === 'global') return { sizeMs: endless, everyMs: endless, offsetMs: 0, emptyWindows: 0 }
  const { sizeMs, offsetMs, emptyWindows } = spec
  return { sizeMs, everyMs: spec.kind === 'sliding' ? spec.everyMs : sizeMs, offsetMs, emptyWindows }
}

/** What makes two windows the same, for stored states: their kind and their sizes. */
export function describeWindow<T>(spec: WindowSpec<T>): string {
  const [field] = isEventTime(spec) ? (fieldsReadBy(spec.at) ?? []) : []
  return field === undefined ? measuresOf(spec) : `${measuresOf(spec)} by ${field}`
}

function measuresOf<T>(spec: WindowSpec<T>): string {
  switch (spec.kind) {
    case 'global':
      return 'global'
    case 'count':
      return `count(${spec.events})`
    case 'session':
      return `session(${spec.gapMs} ms)`
    case 'sliding':
      return `sliding(${spec.sizeMs} ms, every ${spec.everyMs} ms, offset ${spec.offsetMs} ms)`
    case 'tumbling':
    case 'processingTime':
      return `${spec.kind}(${spec.sizeMs} ms, offset ${spec.offsetMs} ms)`
  }
}

/** A window, for people: `tumbling windows of 10 s`. */
export function windowText<T>(spec: WindowSpec<T>): string {
  switch (spec.kind) {
    case 'global':
      return 'one window'
    case 'count':
      return `windows of ${spec.events} events`
    case 'session':
      return `sessions with gaps of ${timeText(spec.gapMs)}`
    case 'sliding':
      return `sliding windows of ${timeText(spec.sizeMs)} every ${timeText(spec.everyMs)}`
    case 'tumbling':
      return `tumbling windows of ${timeText(spec.sizeMs)}`
    case 'processingTime':
      return `windows of ${timeText(spec.sizeMs)} by the clock`
  }
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

function timeText(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1]
  return `${ms / size} ${unit}`
}

/** The end of the earliest window on a grid that contains this time. */
export function firstEndMs<T>(spec: WindowSpec<T>, timeMs: number): number {
  if (spec.kind !== 'tumbling' && spec.kind !== 'sliding') return Number.POSITIVE_INFINITY
  return firstStart(gridOf(spec), timeMs) + spec.sizeMs
}

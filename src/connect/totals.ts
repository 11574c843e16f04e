// Arithmetic on totals: what became of every record.

import type { Totals } from './sink.ts'

export const NO_TOTALS: Totals = {
  read: 0,
  derived: 0,
  loaded: 0,
  dead: 0,
  filtered: 0,
  blank: 0,
  absorbed: 0,
  invalidUtf8: 0,
}

export function addTotals(a: Totals, b: Partial<Totals>): Totals {
  return {
    read: a.read + (b.read ?? 0),
    derived: a.derived + (b.derived ?? 0),
    loaded: a.loaded + (b.loaded ?? 0),
    dead: a.dead + (b.dead ?? 0),
    filtered: a.filtered + (b.filtered ?? 0),
    blank: a.blank + (b.blank ?? 0),
    absorbed: a.absorbed + (b.absorbed ?? 0),
    invalidUtf8: a.invalidUtf8 + (b.invalidUtf8 ?? 0),
  }
}

export function subtractTotals(a: Totals, b: Totals): Totals {
  const negated = Object.fromEntries(Object.entries(b).map(([name, count]) => [name, -count]))
  return addTotals(a, negated)
}

/** What a figure counts, in the order in which they are shown: what came in, and what became of it. */
export const CAME: readonly (keyof Totals)[] = ['read', 'derived']
export const WENT: readonly (keyof Totals)[] = ['loaded', 'dead', 'filtered', 'blank', 'absorbed']
/** Shown even if 0: every record is one of these. */
const ALWAYS: ReadonlySet<keyof Totals> = new Set(['read', 'loaded', 'dead', 'filtered', 'blank'])

/** Whether a figure is shown: those of only some flows are left out if 0. */
export function isTold(totals: Totals, name: keyof Totals): boolean {
  return totals[name] !== 0 || ALWAYS.has(name)
}

/** Whether every record read is accounted for. */
export function totalsAddUp(totals: Totals): boolean {
  const sum = (names: readonly (keyof Totals)[]): number => names.reduce((all, name) => all + totals[name], 0)
  return sum(CAME) === sum(WENT)
}

/**
 * Totals that add up. If events became others on the way, whatever is not counted otherwise was absorbed; what was
 * emitted beyond that was derived.
 *
 * @param folds - whether events became others
 */
export function balanced(totals: Totals, folds: boolean): Totals {
  const { read, derived, loaded, dead, filtered, blank } = totals
  const kept = folds ? read + derived - loaded - dead - filtered - blank : 0
  return { ...totals, derived: derived + Math.max(0, -kept), absorbed: Math.max(0, kept) }
}

// Arithmetic on totals: what became of every record.

import type { Totals } from './sink.ts'

export const NO_TOTALS: Totals = {
  read: 0,
  derived: 0,
  loaded: 0,
  dead: 0,
  filtered: 0,
  blank: 0,
  folded: 0,
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
    folded: a.folded + (b.folded ?? 0),
    invalidUtf8: a.invalidUtf8 + (b.invalidUtf8 ?? 0),
  }
}

export function subtractTotals(a: Totals, b: Totals): Totals {
  const negated = Object.fromEntries(Object.entries(b).map(([name, count]) => [name, -count]))
  return addTotals(a, negated)
}

/** Whether every record read is accounted for. */
export function totalsAddUp(totals: Totals): boolean {
  const { read, derived, loaded, dead, filtered, blank, folded } = totals
  return read + derived === loaded + dead + filtered + blank + folded
}

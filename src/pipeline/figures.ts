// What a run counts, in words: the same in the terminal, on the page, in logs and metrics.

import type { Totals } from '../connect/sink.ts'
import { CAME, isTold, WENT } from '../connect/totals.ts'
import { countText } from '../observe/text.ts'

/** What each figure counts; empty where its name says it. */
export const FIGURES: Readonly<Record<keyof Totals, string>> = {
  read: '',
  loaded: '',
  dead: 'rejected',
  filtered: 'dropped by the flow',
  blank: 'blank lines',
  absorbed: 'taken in by windows, aggregates, joins and batches',
  derived: 'made by the flow: parts of records, and results',
  invalidUtf8: 'with bytes that are not text in the encoding',
}

/** The figures shown of totals, in their order. */
export function toldFigures(totals: Totals): readonly (keyof Totals)[] {
  return (Object.keys(FIGURES) as (keyof Totals)[]).filter((name) => isTold(totals, name))
}

/**
 * Totals as an equation, which holds.
 *
 * @example
 * equation({ read: 1000, derived: 3, loaded: 3, dead: 2, filtered: 0, blank: 0, absorbed: 998, invalidUtf8: 0 })
 * // => '1,000 read + 3 derived = 3 loaded + 2 dead + 0 filtered + 0 blank + 998 absorbed'
 */
export function equation(totals: Totals): string {
  const side = (names: readonly (keyof Totals)[]): string =>
    names
      .filter((name) => isTold(totals, name))
      .map((name) => `${countText(totals[name])} ${name}`)
      .join(' + ')
  return `${side(CAME)} = ${side(WENT)}`
}

/** Where a run stands that has committed nothing itself. */
export function earlierCommit(epoch: number): string {
  return epoch === 0 ? 'nothing committed yet' : `epoch ${countText(epoch)}, committed by an earlier run`
}

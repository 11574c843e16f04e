// What a run has done, for people.

import type { Totals } from '../../connect/sink.ts'
import { excerpt } from '../../observe/escape.ts'
import { redact } from '../../observe/redact.ts'
import { bytesText, countText, durationText } from '../../observe/text.ts'
import type { Top } from '../../observe/top.ts'
import { equation, FIGURES, toldFigures } from '../../pipeline/figures.ts'
import { againText } from '../../pipeline/guarantee.ts'
import type { RunReport } from '../../pipeline/report.ts'
import { shownName } from '../../pipeline/shown-name.ts'

/** What a summary says beside the report. */
export interface SummaryNotes {
  /** Notes of splits with nothing new, the first few of them. */
  readonly notes?: readonly string[]
  /** Notes taken during the run, the first of them. */
  readonly noted?: readonly string[]
  /** Why records were rejected, the most common reasons first. */
  readonly reasons?: readonly (readonly [reason: string, count: number])[]
}

export function summaryText(report: RunReport, { notes = [], noted = [], reasons = [] }: SummaryNotes = {}): string {
  const { outcome, run, overall, elapsedMs, doneBytes, splits, sink } = report
  const lines = [
    `${excerpt(shownName(report), 64)}: ${outcome} in ${durationText(elapsedMs)}, committed to ${excerpt(sink, 200)}`,
    '',
  ]
  if (run.read === 0 && splits.unchanged > 0) {
    lines.push(`  nothing new: ${splits.unchanged} of ${splits.all} already loaded up to the end`)
    lines.push(...notes.map((note) => `    ${excerpt(note, 300)}`))
    if (splits.unchanged > notes.length && notes.length > 0)
      lines.push(`    and ${splits.unchanged - notes.length} more`)
  } else {
    const rejected = `rejected, with their reasons: ${excerpt(report.deadLetters, 200)}`
    const told = totalsLines(run, { read: rateText(run.read, doneBytes, elapsedMs), dead: rejected })
    lines.push(...told)
    if (run.dead > 0 && reasons.length > 0) lines.push('', '  rejected because', ...reasons.map(reasonLine))
    if (splits.unchanged > 0) lines.push(`  ${splits.unchanged} of ${splits.all} had nothing new`)
  }
  if (overall.read !== run.read) lines.push('', `  in all runs: ${equation(overall)}`)
  const { resultsAgain } = report.promised
  if (resultsAgain.length > 0) lines.push('', `  ${excerpt(againText(resultsAgain), 300)}`)
  if (noted.length > 0) lines.push('', ...noted.map((note) => `  note: ${excerpt(note, 300)}`))
  const tops = Object.entries(report.top).filter(([, top]) => top.values.length > 0)
  if (tops.length > 0) lines.push('', ...tops.flatMap(([title, top]) => topLines(title, top)))
  return redact(`${lines.join('\n')}\n`)
}

/**
 * @param notes - notes on figures that are not 0, if they differ between runs
 */
function totalsLines(totals: Totals, notes: Partial<Record<keyof Totals, string>>): string[] {
  const shown = toldFigures(totals)
  const width = Math.max(...shown.map((key) => countText(totals[key]).length))
  const nameWidth = Math.max(...shown.map((key) => key.length))
  return shown.map((key) => {
    const note = totals[key] > 0 ? (notes[key] ?? FIGURES[key]) : ''
    return `  ${key.padEnd(nameWidth)}  ${countText(totals[key]).padStart(width)}  ${note}`.trimEnd()
  })
}

function rateText(read: number, bytes: number, elapsedMs: number): string {
  if (elapsedMs <= 0) return ''
  const perSecond = 1000 / elapsedMs
  // Not every source has bytes.
  const bytesPerSecond = bytes > 0 ? `, ${bytesText(bytes * perSecond)} a second` : ''
  return `${countText(read * perSecond)} a second${bytesPerSecond}`
}

function reasonLine([reason, count]: readonly [string, number]): string {
  return `  ${countText(count).padStart(8)}  ${excerpt(reason, 200)}`
}

function topLines(title: string, { values, distinct, exact }: Top): string[] {
  const width = Math.max(...values.map(([, count]) => countText(count).length))
  const about = exact ? `${countText(distinct)} different` : 'counts are estimates'
  return [
    `  ${excerpt(title, 40)} (${about})`,
    ...values.map(([value, count]) => `  ${countText(count).padStart(width + 2)}  ${excerpt(value, 80)}`),
  ]
}

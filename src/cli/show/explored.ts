// What `sluice try` found, as text and as JSON.

import type { ColumnType } from '../../connect/column.ts'
import type { ColumnFound } from '../../explore/column-profile.ts'
import type { Explored } from '../../explore/explore.ts'
import { excerpt } from '../../observe/escape.ts'
import { bytesText, countText, many } from '../../observe/text.ts'

/** The most columns and reasons that are shown. */
const SHOWN_COLUMNS = 60
const SHOWN_REASONS = 10
const SHOWN_UNREAD = 3
/** The most characters of a name, of a value, and of a list of values. */
const NAME = 28
const VALUE = 24
const VALUES = 60

/**
 * What was found, for people.
 *
 * @param width - where lines of the table are cut
 */
export function exploredText(given: string, explored: Explored, width: number = Number.POSITIVE_INFINITY): string {
  const { found, unread } = explored
  const size = found.sizeBytes === undefined ? '' : `, ${bytesText(found.sizeBytes)}`
  return [
    `${excerpt(given, 200)}: ${excerpt(found.words, 200)}${size}`,
    countsText(explored),
    ...found.notes.map((note) => `  note: ${excerpt(note, 300)}`),
    '',
    ...columnLines(explored).map((line) => (line.length < width ? line : `${line.slice(0, width - 1)}…`)),
    ...rejectionLines(explored),
    ...unread.slice(0, SHOWN_UNREAD).map(({ reason }) => `  not read: ${excerpt(reason, 300)}`),
    ...(unread.length > SHOWN_UNREAD
      ? [`  not read: ${unread.length - SHOWN_UNREAD} more; name files that belong together by a glob in quotes`]
      : []),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

function countsText({ rows, records, rejected, isWhole, total }: Explored): string {
  const looked = `${many(rows, 'row')}${rejected === 0 ? '' : `, ${countText(rejected)} rejected`}`
  if (isWhole) return `  ${looked}`
  const share = total === undefined ? '' : ` (${percent(records / total.rows)})`
  const all = total === undefined ? '' : `${total.isExact ? '' : '~'}${countText(total.rows)} rows. `
  return `  ${all}Sampled: ${looked}${share}; a number with ~ is an estimate for all of them`
}

function columnLines(explored: Explored): string[] {
  const { columns, moreColumns, rows } = explored
  const shown = columns.slice(0, SHOWN_COLUMNS)
  const table = shown.map((column) => cellsOf(column, explored))
  const head = ['column', 'type', 'null', 'distinct', 'range', 'commonest']
  const lines = rows === 0 ? [] : aligned([head, ...table])
  const more = columns.length - shown.length + moreColumns
  return more === 0 ? lines : [...lines, `  and ${more} more columns`]
}

function cellsOf(column: ColumnFound, { rows, isWhole }: Explored): string[] {
  const { name, types, nulls, missing, distinct, isDistinctExact, top } = column
  const empty = nulls + missing
  const isTime = column.type === 'time'
  const shown = top.filter(([, count]) => count > 1 || distinct <= 5).slice(0, 3)
  const share = (count: number): string => `${isWhole && isDistinctExact ? '' : '~'}${percent(count / rows)}`
  const commonest = shown.map(([value, count]) => `${valueText(value, isTime)} ${share(count)}`).join(', ')
  const range =
    column.min === undefined || distinct === 1
      ? ''
      : `${valueText(column.min, isTime)} … ${valueText(column.max ?? '', isTime)}`
  return [
    excerpt(name, NAME),
    column.type ?? (Object.keys(types).slice(0, 3).join('|') || '(null)'),
    empty === 0 ? '' : isWhole ? countText(empty) : `~${percent(empty / rows)}`,
    `${isWhole && isDistinctExact ? '' : '~'}${countText(distinct)}`,
    range,
    excerpt(commonest, VALUES),
  ]
}

function valueText(value: string | number, isTime: boolean): string {
  const time = isTime ? new Date(Number(value)) : undefined
  if (time !== undefined && !Number.isNaN(time.getTime()))
    return time.toISOString().replace(/(?:T00:00)?(?::00)?\.000Z$/, 'Z')
  return typeof value === 'number' ? `${value}` : value === '' ? '""' : excerpt(value, VALUE)
}

function percent(share: number): string {
  const value = 100 * share
  return value > 0 && value < 1 ? '<1 %' : `${Math.round(value)} %`
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
}

function rejectionLines({ rejections, found }: Explored): string[] {
  if (rejections.length === 0) return []
  const { shownAs } = found
  const shown = rejections.slice(0, SHOWN_REASONS).map(({ count, reason, found: text, place }) => {
    const at = shownAs === undefined ? place : place.replace(shownAs.path, () => shownAs.name)
    return `  ${countText(count).padStart(7)}  ${reason}; first at ${excerpt(at, 200)}${text === undefined ? '' : `: ${text}`}`
  })
  const more = rejections.length - shown.length
  return ['', 'rejected', ...shown, ...(more === 0 ? [] : [`  and ${more} more reasons`])]
}

/** The same for programs. */
export function exploredJson(given: string, explored: Explored, flow: string): object {
  const { found, rows, rejected, isWhole, total, columns, rejections, unread } = explored
  const { words, sizeBytes, notes } = found
  const json = columns.map(({ type, ...column }): object & { type: ColumnType | null } => ({
    ...column,
    type: type ?? null,
  }))
  return {
    source: given,
    kind: words,
    sizeBytes,
    rows,
    rejected,
    isWhole,
    total,
    notes,
    columns: json,
    rejections,
    unread,
    flow,
  }
}

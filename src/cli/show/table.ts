// Rows as a table for a terminal: foreign text is escaped and cut, secrets are left out.

import { escapeText } from '../../observe/escape.ts'
import { isSecretName, redact } from '../../observe/redact.ts'
import { cut } from './top-view.ts'

/** No cell is wider, unless it is the only one. */
const LONGEST_CELL = 40
const GAP = '  '

interface Column {
  readonly title: string
  readonly cells: readonly string[]
  readonly isNumber: boolean
  readonly width: number
}

/**
 * A line of titles, and one for each row; columns that do not fit are named below. What is not an object is a column
 * `value`.
 *
 * @param rows - as JSON has them
 * @param columns - no line is longer
 * @param marks - what stands in front of each row
 * @example
 * tableLines([{ id: 1, name: 'ann' }, { id: 20 }], { columns: 80 }) // => ['id  name', ' 1  ann', '20']
 */
export function tableLines(
  rows: readonly unknown[],
  { columns: most, marks }: { readonly columns: number; readonly marks?: readonly string[] },
): string[] {
  const records = rows.map(recordOf)
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))]
  const longest = names.length === 1 ? most : LONGEST_CELL
  const all = names.map((name) => columnOf(name, records, longest))
  const mark = (at: number): string => (marks === undefined ? '' : `${marks[at] ?? ' '} `)
  let free = most - (marks === undefined ? 0 : 2)
  const kept = all.filter(({ width }, at) => {
    // The first one is cut, and never left out.
    if (at > 0 && width > free) free = 0
    const isKept = at === 0 || free > 0
    free -= width + GAP.length
    return isKept
  })
  const line = (textOf: (column: Column) => string): string =>
    kept
      .map((column) => (column.isNumber ? textOf(column).padStart(column.width) : textOf(column).padEnd(column.width)))
      .join(GAP)
  const left = all.slice(kept.length).map(({ title }) => title)
  return [
    `${marks === undefined ? '' : '  '}${line(({ title }) => title)}`,
    ...rows.map((_, at) => `${mark(at)}${line(({ cells }) => cells[at] ?? '')}`),
    ...(left.length === 0 ? [] : [`and ${left.join(', ')}`]),
  ].map((text) => cut(text.trimEnd(), most))
}

function recordOf(row: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof row === 'object' && row !== null && !Array.isArray(row)
  return isRecord ? (row as Record<string, unknown>) : { value: row }
}

function columnOf(name: string, records: readonly Readonly<Record<string, unknown>>[], longest: number): Column {
  const title = cellText(name, longest)
  const values = records.map((record) => (Object.hasOwn(record, name) ? record[name] : undefined))
  const cells = values.map((value) => cellText(withoutSecret(name, value), longest))
  const width = Math.max(title.length, ...cells.map(({ length }) => length))
  const isNumber = values.every((value) => value === undefined || value === null || typeof value === 'number')
  return { title, cells, isNumber, width }
}

function cellText(value: unknown, longest: number): string {
  if (value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value, withoutSecret)
  return cut(escapeText(redact(text.slice(0, 4 * longest))), longest)
}

function withoutSecret(name: string, value: unknown): unknown {
  return isSecretName(name) && value !== undefined && value !== null ? '***' : value
}

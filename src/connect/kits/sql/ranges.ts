// A table or query in ranges of a column: each is read by itself, possibly by another copy.

import { checkKeys } from '../../../base/check.ts'
import { optionInvalid } from '../config.ts'
import { checkColumnName, quoteName } from './name.ts'

/** Where a table is cut. */
export interface SqlRanges {
  readonly column: string
  /** Where each range but the first begins, in the order of the column: `[1_000_000, 2_000_000]` makes three. */
  readonly at: readonly (number | bigint | string)[]
}

/** One of the ranges. */
export interface SqlRange {
  /** The same in every run: `id below 1000`. */
  readonly name: string
  /** The condition on rows `r`, in SQL. */
  readonly where: string
}

/** The ranges, each value in exactly one; null is in the first. @throws {SluiceError} CONFIG_INVALID */
export function rangesOf(what: string, ranges: SqlRanges | undefined): readonly SqlRange[] {
  if (ranges === undefined) return []
  checkKeys(`ranges of ${what}`, ranges, ['column', 'at'])
  const { column, at } = ranges
  checkColumnName(column)
  if (!Array.isArray(at) || at.length === 0 || !at.every(isBound)) {
    throw optionInvalid(what, 'ranges.at', at, 'numbers, or texts without backslashes, one or more')
  }
  const key = `r.${quoteName(column)}`
  return [undefined, ...at].map((from, index) => {
    const to = at[index]
    const above = from === undefined ? undefined : `${key} >= ${literal(from)}`
    const below = to === undefined ? undefined : `${key} < ${literal(to)}`
    if (above === undefined) return { name: `${column} below ${to}`, where: `(${below} or ${key} is null)` }
    if (below === undefined) return { name: `${column} from ${from}`, where: above }
    return { name: `${column} from ${from} below ${to}`, where: `${above} and ${below}` }
  })
}

/** Rows of a range, from a table or a query in parentheses. */
export function inRange(rows: string, range: SqlRange | undefined): string {
  return range === undefined ? rows : `(select * from ${rows} as r where ${range.where})`
}

function isBound(value: unknown): boolean {
  if (typeof value === 'string') return !/[\\\0]/.test(value) && value.isWellFormed()
  return typeof value === 'bigint' || Number.isFinite(value)
}

function literal(value: number | bigint | string): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
